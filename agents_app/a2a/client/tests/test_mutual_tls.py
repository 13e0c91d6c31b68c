"""A remote agent that wants to see a certificate."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from a2a.types import a2a_pb2_grpc
from a2a.types.a2a_pb2 import AgentCard, GetTaskRequest
from google.protobuf.json_format import ParseDict

from agents_app.a2a.cards import agent_card
from agents_app.a2a.certificate import targets
from agents_app.a2a.client import line
from agents_app.a2a.client.card_file import Interface
from agents_app.a2a.client.credentials import list_schemes, show
from agents_app.a2a.client.logged import LineLog
from agents_app.a2a.client.preview import preview_remote_agent
from agents_app.a2a.client.tests.elsewhere import answer
from agents_app.a2a.signing import verify_card
from agents_app.actions.remote_agents import BadRemoteAgent, add_remote_agent, update_credentials
from agents_app.models import Agent
from agents_app.outgoing import Unreachable, client, client_certificate
from agents_app.outgoing.client_certificate import ClientCertificate
from agents_app.tests.fake_internet import serve
from agents_app.tests.test_outgoing_tls import make_certificate
from agents_app.threads import in_thread

SCHEMES = {
    "securitySchemes": {"office": {"mtlsSecurityScheme": {}}},
    "securityRequirements": [{"schemes": {"office": {}}}],
}


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The server's certificate, which this server trusts; and, to keep it short, the only one the server trusts."""
    files = make_certificate(tmp_path)

    def trusting() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=files[0])

    monkeypatch.setattr(client, "tls_context", trusting)
    monkeypatch.setattr(client_certificate, "new_tls_context", trusting)
    real = grpc.ssl_channel_credentials
    monkeypatch.setattr(
        grpc, "ssl_channel_credentials", lambda **own: real(root_certificates=files[0].read_bytes(), **own)
    )
    return files


@pytest.fixture
def pem(theirs: tuple[Path, Path]) -> str:
    return theirs[0].read_text() + theirs[1].read_text()


def shown(secrets: dict[str, str]) -> Any:
    return show(ParseDict(SCHEMES, AgentCard()), secrets)


async def test_it_works(theirs: tuple[Path, Path], pem: str, transactional_db):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*theirs)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(theirs[0])
    with serve(tls=context) as internet:
        url = f"https://127.0.0.1:{internet.port}/article"
        log = LineLog("bot", "JSONRPC")
        async with line._http_client(shown({"office": pem}), log, 5) as http:
            assert (await http.get(url)).status_code == 200
        async with line._http_client(shown({}), log, 5) as http:
            with pytest.raises((Unreachable, httpx.TransportError)):
                await http.get(url)


async def test_the_test_of_an_agent_shows_it_too(theirs: tuple[Path, Path], pem: str, server, transactional_db, grace):
    """Over TLS with the agent's certificate; a card of plain HTTP stands for it, since who wants it is on another port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*theirs)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(theirs[0])
    preview = await preview_remote_agent(server(answer, extra=SCHEMES).url)
    remote = await in_thread(add_remote_agent, grace, preview, {"office": pem}, "bot")
    with serve(tls=context) as internet:
        async with targets.remote_target(remote).open_client() as http:
            assert (await http.get(f"https://127.0.0.1:{internet.port}/article")).status_code == 200


async def test_over_grpc(theirs: tuple[Path, Path], pem: str):
    server = grpc.aio.server()
    a2a_pb2_grpc.add_A2AServiceServicer_to_server(a2a_pb2_grpc.A2AServiceServicer(), server)
    pair = [(theirs[1].read_bytes(), theirs[0].read_bytes())]
    credentials = grpc.ssl_server_credentials(pair, theirs[0].read_bytes(), require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    interface = Interface(f"https://127.0.0.1:{port}", "GRPC", "1.0", "")
    for certificate, code in ((ClientCertificate.read(pem), "UNIMPLEMENTED"), (None, "UNAVAILABLE")):
        async with await line.open_channel(interface, certificate) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await a2a_pb2_grpc.A2AServiceStub(channel).GetTask(GetTaskRequest(id="x"), timeout=10)
            assert refused.value.code().name == code
    await server.stop(0)


async def test_it_is_asked_for_kept_and_checked(server, pem: str, transactional_db, grace):
    there = server(answer, extra=SCHEMES)
    preview = await preview_remote_agent(there.url)
    [scheme] = list_schemes(preview.parsed)
    assert (scheme.usable, scheme.has_lines, scheme.required) == (True, True, True)
    with pytest.raises(BadRemoteAgent, match="certificate and its private key"):
        await in_thread(add_remote_agent, grace, preview, {"office": "-----BEGIN CERTIFICATE-----\nx"}, "bot")
    remote = await in_thread(add_remote_agent, grace, preview, {"office": pem}, "bot")
    assert "PRIVATE KEY" not in remote.credentials
    await in_thread(update_credentials, grace, remote, {"office": pem.replace("\n", "\r\n")})


@pytest.mark.parametrize(
    "wrong", ["", "-----BEGIN CERTIFICATE-----", "two keys", "of somebody else", "with a password"]
)
def test_what_is_no_certificate_with_its_key_is_refused_in_words(pem: str, tmp_path: Path, wrong: str):
    certificate, begin, rest = pem.partition("-----BEGIN PRIVATE")
    key = begin + rest
    (tmp_path / "other").mkdir()
    texts = {
        "two keys": certificate + key + key,
        "of somebody else": certificate + make_certificate(tmp_path / "other")[1].read_text(),
        "with a password": certificate + key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
    }
    with pytest.raises(client_certificate.BadCertificate):
        ClientCertificate.read(texts.get(wrong, wrong))


async def test_our_cards_declare_it_where_it_is_wanted(settings, db):
    settings.A2A_GRPC_URL, settings.A2A_GRPC_CLIENT_CA = "grpc.example.com:443", "/etc/ca.pem"
    card = agent_card(Agent(id="chloe", name="Chloe"), "https://example.com")
    parsed = ParseDict(card, AgentCard())
    assert parsed.security_schemes["mtls"].HasField("mtls_security_scheme")
    assert [set(each.schemes) for each in parsed.security_requirements] == [{"bearer"}, {"bearer", "mtls"}]
    assert (await verify_card(card, "https://example.com")).value == "none"
    settings.A2A_GRPC_CLIENT_CA = ""
    assert "mtls" not in agent_card(Agent(id="chloe", name="Chloe"), "https://example.com")["securitySchemes"]
