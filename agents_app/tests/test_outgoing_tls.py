"""The connection goes to a checked address, the certificate is that of the name."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from agents_app.outgoing import LeadsElsewhere, Unreachable, client, fetch, open_client
from agents_app.tests.fake_internet import redirect, serve


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for site.com and 127.0.0.1, signed by itself; returns the files of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake internet")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("site.com"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture
def certificate(tmp_path_factory, monkeypatch) -> tuple[Path, Path]:
    """A certificate that the client trusts."""
    files = make_certificate(tmp_path_factory.mktemp("tls"))
    trusting = ssl.create_default_context(cafile=files[0])
    monkeypatch.setattr(client, "tls_context", lambda: trusting)
    return files


@pytest.fixture
def secure(certificate, settings, monkeypatch):
    """The fake internet behind TLS; every name leads to it."""
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: real("127.0.0.1", *rest, **more))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)
    wanted: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: wanted.append(name)
    with serve(tls=server) as internet:
        yield internet, wanted


async def test_the_certificate_is_checked_against_the_name_and_sni_says_it(secure):
    internet, wanted = secure
    assert (await fetch(f"https://site.com:{internet.port}/article")).status == 200
    assert wanted == ["site.com"]
    assert internet.asked[0].headers["host"] == f"site.com:{internet.port}"


async def test_another_name_at_the_same_address_is_refused(secure):
    """Also after a connection for the right name is open: it must not be used for another."""
    internet, _ = secure
    async with open_client() as session:
        assert (await session.get(f"https://site.com:{internet.port}/article")).status_code == 200
        with pytest.raises(Unreachable, match="other.com has no valid certificate"):
            await session.get(f"https://other.com:{internet.port}/article")
    assert len(internet.asked) == 1


async def test_an_address_in_numbers_needs_a_certificate_too(secure):
    internet, _ = secure
    assert (await fetch(f"https://127.0.0.1:{internet.port}/article")).status == 200


async def test_nobody_trusts_a_certificate_signed_by_itself(tmp_path, settings):
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*make_certificate(tmp_path))
    with serve(tls=server) as internet, pytest.raises(Unreachable, match="no valid certificate"):
        await fetch(f"{internet.url}/article")


async def test_https_never_leads_back_to_http(secure):
    internet, _ = secure
    internet.pages["/down"] = redirect(f"http://site.com:{internet.port}/article")
    with pytest.raises(LeadsElsewhere, match="not encrypted"):
        await fetch(f"https://site.com:{internet.port}/down")
