from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from a2a.types import a2a_pb2 as pb
from a2a.types.a2a_pb2_grpc import A2AServiceStub
from django.conf import settings

from tkr_chat.tests.processes import SECONDS, environment, manage
from tkr_chat.tests.server import free_port, prepared
from tkr_chat.tests.tls import make_certificate

QUIET = {"EMBEDDED_MODEL": "off", "OLLAMA_URL": ""}
Metadata = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def metadata(data: Path) -> Metadata:
    token = manage(data, "createtoken", "admin", "tests", **QUIET).stdout.strip()
    return (("a2a-version", "1.0"), ("authorization", f"Bearer {token}"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@contextmanager
def running(data: Path, *arguments: str) -> Iterator[str]:
    """Its address; what it printed is checked."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "rungrpc", "--port", str(port), *arguments],
        cwd=settings.BASE_DIR,
        env=environment(data, **QUIET),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    said = process.stdout.readline()
    try:
        assert f"127.0.0.1:{port}" in said and ("with TLS" in said) == ("--cert" in arguments), said
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(SECONDS) == 0


def card(channel: Any, metadata: Metadata) -> pb.AgentCard:
    stub = A2AServiceStub(channel)
    return stub.GetExtendedAgentCard(pb.GetExtendedAgentCardRequest(), metadata=metadata, timeout=SECONDS)


def test_it_works(data: Path, metadata: Metadata) -> None:
    with running(data) as address, grpc.insecure_channel(address) as channel:
        assert card(channel, metadata).name == "Chloe"


def test_with_tls(data: Path, metadata: Metadata, certificate: tuple[str, str]) -> None:
    cert, key = certificate
    trusting = grpc.ssl_channel_credentials(Path(cert).read_bytes())
    with running(data, "--cert", cert, "--key", key) as address:
        with grpc.secure_channel(address, trusting) as channel:
            assert card(channel, metadata).name == "Chloe"
        with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError):
            card(channel, metadata)


def test_callers_may_need_a_certificate(data: Path, metadata: Metadata, certificate: tuple[str, str]) -> None:
    cert, key = certificate
    pem = Path(cert).read_bytes()
    with running(data, "--cert", cert, "--key", key, "--client-ca", cert) as address:
        known = grpc.ssl_channel_credentials(pem, Path(key).read_bytes(), pem)
        with grpc.secure_channel(address, known) as channel:
            assert card(channel, metadata).name == "Chloe"
        with grpc.secure_channel(address, grpc.ssl_channel_credentials(pem)) as channel:
            with pytest.raises(grpc.RpcError) as refused:
                card(channel, metadata)
            assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_certificate_needs_its_key(data: Path, certificate: tuple[str, str]) -> None:
    done = manage(data, "rungrpc", "--cert", certificate[0], **QUIET)

    assert done.returncode == 1 and "both --cert and --key" in done.stderr


def test_a_file_that_is_not_there_is_named(data: Path, certificate: tuple[str, str]) -> None:
    done = manage(data, "rungrpc", "--cert", "/nowhere/cert.pem", "--key", certificate[1], **QUIET)

    assert done.returncode == 1 and "Cannot read /nowhere/cert.pem" in done.stderr


def test_a_file_that_is_no_certificate_is_refused(data: Path, tmp_path: Path, certificate: tuple[str, str]) -> None:
    (tmp_path / "cert.pem").write_text("nothing")
    done = manage(data, "rungrpc", "--cert", str(tmp_path / "cert.pem"), "--key", certificate[1], **QUIET)

    assert done.returncode == 1 and "in PEM format" in done.stderr


def test_a_port_that_is_taken_is_said(data: Path) -> None:
    with running(data) as address:
        done = manage(data, "rungrpc", "--port", address.rpartition(":")[2], **QUIET)

    assert done.returncode == 1 and f"Cannot listen on {address}" in done.stderr


def test_it_wants_a_prepared_database(tmp_path: Path) -> None:
    done = manage(tmp_path, "rungrpc", **QUIET)

    assert done.returncode == 1 and "manage.py prepare" in done.stderr
