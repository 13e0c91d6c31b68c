from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tkr_chat.env import Environment, WrongSetting, read_environment

BASE = Path("/srv/chat")


def test_it_works() -> None:
    env = Environment(
        {"DEBUG": "on", "PORT": "9000", "AGENTS_SAVE_SECONDS": "0.5", "CORS_ORIGINS": "https://a.example, "}
    )

    assert env.flag("DEBUG", False) is True
    assert env.whole("PORT", 8000) == 9000
    assert env.number("AGENTS_SAVE_SECONDS", 1) == 0.5
    assert env.origins("CORS_ORIGINS") == ["https://a.example"]


def test_what_is_not_said_has_its_default() -> None:
    env = Environment({"PORT": "  "})

    assert env.whole("PORT", 8000) == 8000
    assert env.choice("LOG_LEVEL", "INFO", ("INFO", "ERROR")) == "INFO"
    assert env.path("DATA_DIR", "var", BASE) == BASE / "var"
    assert env.database("DATABASE_URL", BASE / "db.sqlite3", BASE)["NAME"] == BASE / "db.sqlite3"


def test_an_empty_address_switches_off_what_it_leads_to() -> None:
    assert Environment({"OLLAMA_URL": ""}).url("OLLAMA_URL", "http://127.0.0.1:11434") == ""


def test_a_relative_database_file_lies_in_the_project() -> None:
    env = Environment({"DATABASE_URL": "sqlite:///data/chat.sqlite3"})

    assert env.database("DATABASE_URL", BASE / "unused", BASE)["NAME"] == BASE / "data/chat.sqlite3"


def test_a_postgres_url_is_understood() -> None:
    env = Environment({"DATABASE_URL": "postgres://ada:p%40ss@db.example:6543/chat?sslmode=require"})
    database = env.database("DATABASE_URL", BASE / "unused", BASE)

    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["USER"], database["PASSWORD"], database["HOST"]) == ("ada", "p@ss", "db.example")
    assert (database["PORT"], database["NAME"], database["OPTIONS"]) == (6543, "chat", {"sslmode": "require"})


@pytest.mark.parametrize(
    ("value", "read", "instead"),
    [
        ("maybe", lambda env: env.flag("X", False), "X=on or X=off"),
        ("many", lambda env: env.whole("X", 20), "X=20"),
        ("2.5", lambda env: env.whole("X", 20), "whole number"),
        ("-1", lambda env: env.whole("X", 20), "0 or more"),
        ("70000", lambda env: env.whole("X", 8000, least=1, most=65535), "1 to 65535"),
        ("soon", lambda env: env.number("X", 30), "X=30"),
        ("nan", lambda env: env.number("X", 30), "X=30"),
        ("LOUD", lambda env: env.choice("X", "INFO", ("INFO", "ERROR")), "INFO, ERROR"),
        ("localhost:6379", lambda env: env.url("X", "", ("redis",)), "X=redis://"),
        ("http://", lambda env: env.url("X", "http://127.0.0.1:11434"), "X=http://127.0.0.1:11434"),
        ("http://host:port", lambda env: env.url("X", "http://127.0.0.1:11434"), "X=http://127.0.0.1:11434"),
        ("example.com", lambda env: env.origins("X"), "X=https://"),
        ("https://example.com/path", lambda env: env.origin("X"), "X=https://"),
        ("grpc://example.com:50051", lambda env: env.address("X"), "X=chat.example.com:50051"),
        ("example.com", lambda env: env.address("X"), "X=chat.example.com:50051"),
        ("10.0.0.0/33", lambda env: env.networks("X"), "X=10.0.0.0/8"),
        ("mysql://localhost/chat", lambda env: env.database("X", BASE, BASE), "X=postgres://"),
        ("sqlite://:memory:", lambda env: env.database("X", BASE, BASE), "X=sqlite:///"),
        ("postgres://localhost:port/chat", lambda env: env.database("X", BASE, BASE), "X=postgres://"),
    ],
)
def test_a_wrong_value_is_answered_with_what_to_write(
    value: str, read: Callable[[Environment], Any], instead: str
) -> None:
    with pytest.raises(WrongSetting) as wrong:
        read(Environment({"X": value}))

    sentence = str(wrong.value)
    assert sentence.startswith("X ") and instead in sentence and "\n" not in sentence


def test_a_password_is_not_repeated_in_the_sentence() -> None:
    with pytest.raises(WrongSetting) as wrong:
        Environment({"REDIS_URL": "http://user:hunter2@redis"}).url("REDIS_URL", "", ("redis",))

    assert "hunter2" not in str(wrong.value)


def test_a_file_says_what_the_process_leaves_unsaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.env").write_text("# mine\nPORT=9000\nHOST=from-the-file\n")
    monkeypatch.setenv("ENV_FILE", "own.env")
    monkeypatch.setenv("HOST", "from-the-process")
    monkeypatch.delenv("PORT", raising=False)

    env = read_environment(tmp_path)

    assert env.whole("PORT", 8000) == 9000
    assert env.text("HOST") == "from-the-process"
