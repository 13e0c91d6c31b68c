from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.auth import AuthInterceptor, CredentialService
from a2a.client.client import Client, ClientCallContext
from grpc.aio import insecure_channel

from tkr_chat.tests.a2a.site import Site, site

BINDINGS = ("JSONRPC", "HTTP+JSON", "GRPC")
VERSIONS = ("1.0", "0.3")
SECONDS = 30


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("home"), "a2a_home") as found:
        yield found


@pytest.fixture(scope="session")
def token(home: Site) -> str:
    """Ada's."""
    return home.token("ada")


class Token(CredentialService):
    def __init__(self, text: str) -> None:
        self._text = text

    async def get_credentials(self, security_scheme_name: str, context: ClientCallContext | None) -> str:
        assert security_scheme_name == "bearer"
        return self._text


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=SECONDS) as client:
        yield client


async def open_client(
    http: httpx.AsyncClient, card_url: str, binding: str, token: str = "", *, streaming: bool = True
) -> Client:
    """The official client, as its documentation makes one."""
    card = await A2ACardResolver(http, card_url).get_agent_card()
    config = ClientConfig(
        httpx_client=http,
        streaming=streaming,
        grpc_channel_factory=insecure_channel,
        supported_protocol_bindings=[binding],
    )
    return ClientFactory(config).create(card, [AuthInterceptor(Token(token))] if token else [])


class Clients:
    """One caller in one binding and version."""

    def __init__(self, http: httpx.AsyncClient, site: Site, binding: str, version: str, token: str) -> None:
        self.version = version
        self.binding = binding
        self._make = lambda **more: open_client(http, site.card_url(version=version), binding, token, **more)
        self._open: list[Client] = []

    async def open(self, **more: Any) -> Client:
        client = await self._make(**more)
        self._open.append(client)
        return client

    async def close(self) -> None:
        if self.binding == "GRPC":
            for client in self._open:
                await client.close()


@pytest.fixture(params=["anonymous", "with a token"])
def secret(request: pytest.FixtureRequest, token: str) -> str:
    return token if request.param == "with a token" else ""


@pytest.fixture(params=[(binding, version) for version in VERSIONS for binding in BINDINGS], ids=" ".join)
async def clients(
    request: pytest.FixtureRequest, home: Site, http: httpx.AsyncClient, secret: str
) -> AsyncIterator[Clients]:
    clients = Clients(http, home, *request.param, secret)
    yield clients
    await clients.close()


@pytest.fixture
async def client(clients: Clients) -> Client:
    return await clients.open()
