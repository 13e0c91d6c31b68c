"""Typed readers of the environment, used by `settings.py` alone. A wrong value stops the start with a sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

ON = {"on", "true", "yes", "1"}
OFF = {"off", "false", "no", "0"}
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+]|[^\s/@:]+):[0-9]{1,5}")


class WrongSetting(SystemExit):
    """The text is one sentence that says what to write instead. Printed with exit code 1, without a traceback."""


class Environment:
    """What the operator wrote. Remembers every name and default it was asked for, as `.env.example` shows them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.asked: dict[str, str] = {}

    def given(self, name: str) -> bool:
        return bool(self.values.get(name, "").strip())

    def text(self, name: str, default: str = "") -> str:
        """An empty value counts: `OLLAMA_URL=` switches something off."""
        self.asked[name] = default
        return self.values.get(name, default).strip()

    def flag(self, name: str, default: bool) -> bool:
        word = self._given_or(name, "on" if default else "off").lower()
        if word not in ON | OFF:
            raise WrongSetting(f"{name} is {word!r}: write {name}=on or {name}=off.")
        return word in ON

    def whole(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """A whole number, such as a count or a size in bytes."""
        return int(self._number(name, default, int, least, most))

    def number(self, name: str, default: float, *, least: float = 0) -> float:
        """A number with a fraction, such as seconds."""
        return self._number(name, default, float, least, None)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        word = self._given_or(name, default)
        if word.upper() not in choices:
            raise WrongSetting(f"{name} is {word!r}: write {name}= and one of {', '.join(choices)}.")
        return word.upper()

    def levels(self, name: str) -> dict[str, str]:
        """How much single parts log, such as `agents_app.a2a=DEBUG,chat=WARNING`."""
        pairs = [word.partition("=")[::2] for word in self.words(name)]
        for part, level in pairs:
            if not part.strip() or level.strip().upper() not in LEVELS:
                raise WrongSetting(f"{name} has {part!r}: write parts and levels, such as {name}=agents_app.a2a=DEBUG")
        return {part.strip(): level.strip().upper() for part, level in pairs}

    def words(self, name: str, default: str = "") -> list[str]:
        """Several values with commas between them."""
        return [word.strip() for word in self._given_or(name, default).split(",") if word.strip()]

    def url(self, name: str, default: str, schemes: tuple[str, ...] = ("http", "https")) -> str:
        """An address without a slash at its end; empty switches off what it leads to."""
        value = self.text(name, default).rstrip("/")
        if value and not _is_url(value, schemes):
            example = default or f"{schemes[0]}://localhost:6379/0"
            raise WrongSetting(f"{name} is {_hidden(value)!r}, which is no address: write for example {name}={example}")
        return value

    def origins(self, name: str) -> list[str]:
        """Addresses without a path, such as `https://example.com`."""
        return [_origin(name, word) for word in self.words(name)]

    def origin(self, name: str) -> str:
        word = self.text(name)
        return _origin(name, word) if word else ""

    def address(self, name: str) -> str:
        """A host and a port without a scheme; empty when nothing is there."""
        value = self.text(name)
        if value and not ADDRESS.fullmatch(value):
            raise WrongSetting(f"{name} is {value!r}: write host and port, such as {name}=chat.example.com:50051")
        return value

    def networks(self, name: str) -> list[str]:
        """Host names, addresses, and networks such as `10.0.0.0/8`."""
        words = self.words(name)
        for word in words:
            if "/" in word and not _is_network(word):
                raise WrongSetting(f"{name} has {word!r}: write a network as address/bits, such as {name}=10.0.0.0/8")
        return words

    def proxies(self, name: str) -> list[str]:
        """Addresses and networks alone: a host name would be resolved by whoever answers for it."""
        words = self.networks(name)
        for word in words:
            if not _is_network(word):
                example = f"{name}=127.0.0.1,10.0.0.0/8"
                raise WrongSetting(f"{name} has {word!r}: write addresses or networks, such as {example}")
        return words

    def clock(self, name: str, default: str) -> time | None:
        """A time of the day, such as 03:12; "off" is none."""
        word = self._given_or(name, default).lower()
        if word in OFF:
            return None
        try:
            return time.fromisoformat(word)
        except ValueError:
            raise WrongSetting(f"{name} is {word!r}: write {name}=03:12, or {name}=off.") from None

    def path(self, name: str, default: str, base: Path) -> Path:
        """A folder or file; a relative one starts at `base`."""
        return base / Path(self._given_or(name, default)).expanduser()

    def database(self, name: str, default: Path, base: Path) -> dict[str, Any]:
        """Django's settings of one database, from a URL; without one the SQLite file `default`."""
        url = self._given_or(name, "") or f"sqlite:///{default}"
        if url.startswith(("postgres:", "postgresql:")):
            return _parsed_database(name, url)
        if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
            parsed = _parsed_database(name, url)
            return parsed | {"NAME": base / parsed["NAME"]}
        raise WrongSetting(
            f"{name} is no database this server knows: write for example {name}=sqlite:///var/db.sqlite3 "
            f"or {name}=postgres://user:password@localhost:5432/tkr_chat"
        )

    def _given_or(self, name: str, default: str) -> str:
        self.asked[name] = default
        return self.values[name].strip() if self.given(name) else default

    def _number(self, name: str, default: float, kind: type, least: float, most: float | None) -> float:
        text = self._given_or(name, str(default))
        range_ = f"{least} or more" if most is None else f"{least} to {most}"
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= (value if most is None else most):
            word = "whole number" if kind is int else "number"
            raise WrongSetting(f"{name} is {text!r}: write a {word}, {range_}, such as {name}={default}.")
        return value


def read_environment(base: Path) -> Environment:
    """The process's environment, and the lines of the file ENV_FILE for what it leaves unsaid."""

    class Values(environ.Env):
        ENVIRON = dict(os.environ)

    env = Environment(Values.ENVIRON)
    file = env.path("ENV_FILE", ".env", base)
    if file.is_file():
        Values.read_env(file)
    return env


def _parsed_database(name: str, url: str) -> dict[str, Any]:
    try:
        return environ.Env.db_url_config(url)
    except ValueError:
        raise WrongSetting(
            f"{name} has a wrong port: write {name}=postgres://user:password@localhost:5432/tkr_chat"
        ) from None


def _origin(name: str, word: str) -> str:
    origin = word.rstrip("/")
    if not _is_url(origin, ("http", "https")) or urlsplit(origin).path:
        raise WrongSetting(f"{name} has {word!r}: write scheme and host, such as {name}=https://chat.example.com")
    return origin


def _is_network(word: str) -> bool:
    try:
        ip_network(word, strict=False)
    except ValueError:
        return False
    return True


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and (bool(parts.hostname) or parts.scheme == "unix") and parts.port != 0
    except ValueError:
        return False


def _hidden(url: str) -> str:
    """Without what stands before the "@": a password must not reach a log."""
    return url.rsplit("@", 1)[-1]
