from __future__ import annotations

from urllib.parse import urlsplit

from django.http.request import split_domain_port, validate_host

from tkr_chat.env import WrongSetting

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  listened on, but nothing a browser can open


def address_of(host: str, port: int) -> str:
    """What to type into a browser on this machine to reach a server that listens on `host` and `port`."""
    reachable = EVERYWHERE.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def require_allowed(public_url: str, allowed_hosts: list[str]) -> None:
    """Without this the server would start, and answer every request with "Bad Request"."""
    host, _ = split_domain_port(urlsplit(public_url).netloc)
    if not validate_host(host, allowed_hosts):
        raise WrongSetting(f"ALLOWED_HOSTS does not let {public_url} in: write ALLOWED_HOSTS={host}.")
