"""What is under `deploy/` names what there is, and nginx passes everything through as it should."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import yaml
from a2a.types import a2a_pb2 as pb
from a2a.types.a2a_pb2_grpc import A2AServiceStub
from django.conf import settings
from django.core.management import get_commands
from websockets.sync.client import connect

from tkr_chat.settings import env
from tkr_chat.tests.processes import SECONDS, manage
from tkr_chat.tests.server import free_port, serving
from tkr_chat.tests.test_rungrpc import running
from tkr_chat.tests.tls import make_certificate

DEPLOY = Path(settings.BASE_DIR) / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SECRET_KEY = "Zm9yIGEgdGVzdCBhbG9uZSwgYnV0IGxvbmcgYW5kIHZhcmllZCBlbm91Z2gh"
FOR_COMPOSE_ALONE = {"POSTGRES_PASSWORD"}
NGINX_CONF = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def commands_in(service: dict[str, Any]) -> list[str]:
    return [word for word in service.get("command", []) if re.fullmatch("[a-z]+", word)][:1]


def test_it_works() -> None:
    services = COMPOSE["services"]

    assert {"prepare", "web", "worker", "grpc", "nginx", "postgres", "redis"} == set(services)
    assert services["web"]["deploy"]["replicas"] == services["worker"]["deploy"]["replicas"] == 2


def test_every_command_that_is_started_is_there() -> None:
    ours = [commands_in(service)[0] for service in COMPOSE["services"].values() if service["image"] == "tkr-agent-chat"]
    units = [re.search(r"manage\.py (\w+)", unit.read_text())[1] for unit in UNITS]  # type: ignore[index]

    assert set(ours) == set(units) == {"prepare", "serve", "runagents", "rungrpc"}
    assert set(ours) <= set(get_commands())


def test_every_setting_is_one() -> None:
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (DEPLOY / "env.example").read_text(), flags=re.MULTILINE))
    named |= set(COMPOSE["x-server"]["environment"])
    named |= set(re.findall(r"([A-Z][A-Z0-9_]+)=\S", (DEPLOY / "Dockerfile").read_text()))
    named |= {name for unit in UNITS for name in re.findall(r"^Environment=([A-Z_]+)=", unit.read_text(), re.MULTILINE)}

    others = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PIP_NO_CACHE_DIR"}
    others |= {"PIP_DISABLE_PIP_VERSION_CHECK", *FOR_COMPOSE_ALONE}
    assert named - others <= set(env.asked)


def test_the_image_takes_what_there_is_and_runs_as_nobody() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, flags=re.MULTILINE)

    assert all((DEPLOY.parent / name).exists() for names in copied for name in names.split())
    assert re.search(r"^USER tkr$", text, flags=re.MULTILINE) and "HEALTHCHECK" in text
    allowed = re.findall(r"^!(\S+)$", (DEPLOY.parent / ".dockerignore").read_text(), flags=re.MULTILINE)
    assert all(any(fnmatch(name, pattern) for pattern in allowed) for names in copied for name in names.split())


def test_every_app_is_in_the_image() -> None:
    text = (DEPLOY / "Dockerfile").read_text()

    assert all(f"COPY {app} {app}" in text for app in settings.OUR_APPS)


def test_images_of_others_are_pinned() -> None:
    images = [service["image"] for service in COMPOSE["services"].values()]

    assert all(re.search(r":\d", image) for image in images if image != "tkr-agent-chat")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_its_units(unit: Path, tmp_path: Path) -> None:
    if not (analyze := shutil.which("systemd-analyze")):  # this machine has another init
        assert "[Service]" in unit.read_text() and "ExecStart=" in unit.read_text()
        return
    (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/tkr-agent-chat/.venv/bin/python", "/bin/true"))
    for other in UNITS:
        if other.name != unit.name:
            shutil.copy(other, tmp_path)
    done = subprocess.run([analyze, "verify", tmp_path / unit.name], capture_output=True, text=True, timeout=SECONDS)
    complaints = [line for line in done.stderr.splitlines() if "tkr-chat" in line and "not executable" not in line]
    assert complaints == []


@dataclass
class Site:
    """The server as nginx shows it."""

    address: str
    plain: str  # without TLS
    certificate: str
    data: Path

    def client(self, local: str = "127.0.0.1") -> httpx.Client:
        transport = httpx.HTTPTransport(verify=ssl.create_default_context(cafile=self.certificate), local_address=local)
        return httpx.Client(base_url=self.address, transport=transport, follow_redirects=True, timeout=SECONDS)

    def signed_in(self, local: str = "127.0.0.1") -> httpx.Client:
        client = self.client(local)
        path = manage(self.data, "signinlink").stdout.strip().partition("/sign-in/")[2]
        assert client.get(f"/sign-in/{path}").status_code == 200
        return client

    @property
    def token(self) -> str:
        return re.search(r"tkr_\S+", manage(self.data, "createtoken", "admin", "test").stdout)[0]  # type: ignore[index]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, nginx: str) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nginx")
    data = tmp_path_factory.mktemp("data")
    port, plain, dead = free_port(), free_port(), free_port()
    certificate, key = make_certificate(folder)
    variables = {
        "DJANGO_SETTINGS_MODULE": "tkr_chat.tests.browser.settings",
        "PUBLIC_URL": f"https://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECRET_KEY": SECRET_KEY,
        "TRUSTED_PROXIES": "127.0.0.1",
        "EMBEDDED_MODEL": "off",
    }
    assert manage(data, "prepare", **variables).returncode == 0
    with serving(data, "--no-link", **variables) as server, running(data) as grpc_address:
        upstreams = (DEPLOY / "nginx/upstreams.local.conf").read_text()
        upstreams = upstreams.replace("/var/log/tkr-chat", str(folder))
        upstreams = upstreams.replace("127.0.0.1:8001", server.address.removeprefix("http://"))
        upstreams = upstreams.replace("127.0.0.1:8002", f"127.0.0.1:{dead}").replace("127.0.0.1:50051", grpc_address)
        (folder / "upstreams.conf").write_text(upstreams)
        text = re.sub(r"\n    listen \[::].*", "", (DEPLOY / "nginx/tkr-chat.conf").read_text())
        for ours, theirs in (
            ("/etc/nginx/tkr-upstreams.conf", str(folder / "upstreams.conf")),
            ("/etc/nginx/tls/fullchain.pem", certificate),
            ("/etc/nginx/tls/privkey.pem", key),
            ("listen 443 ", f"listen 127.0.0.1:{port} "),
            ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ):
            assert ours in text
            text = text.replace(ours, theirs)
        (folder / "site.conf").write_text(text)
        (folder / "nginx.conf").write_text(NGINX_CONF.format(folder=folder))
        folder.chmod(0o755)
        process = subprocess.Popen([nginx, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")])
        try:
            found = Site(f"https://127.0.0.1:{port}", f"http://127.0.0.1:{plain}", certificate, data)
            _wait_for(found, folder)
            yield found
        finally:
            process.terminate()
            process.wait(SECONDS)


def _wait_for(site: Site, folder: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            site.client().get("/healthz")
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError((folder / "error.log").read_text())


@pytest.mark.nginx
def test_one_signs_in_over_tls(site: Site) -> None:
    with closing(site.signed_in()) as client:
        assert client.get("/settings/").status_code == 200
        assert {cookie.secure for cookie in client.cookies.jar} == {True}
        assert "max-age" in client.get("/settings/").headers["strict-transport-security"]


@pytest.mark.nginx
def test_without_tls_one_is_sent_to_where_there_is(site: Site) -> None:
    answer = httpx.get(f"{site.plain}/agents/?a=b")

    assert answer.status_code == 308 and answer.headers["location"] == "https://127.0.0.1/agents/?a=b"


@pytest.mark.nginx
def test_the_server_sees_where_a_browser_is(site: Site) -> None:
    with closing(site.signed_in("127.0.0.2")) as client:
        assert "127.0.0.2" in client.get("/settings/").text


@pytest.mark.nginx
def test_a_process_that_is_down_is_gone_round(site: Site) -> None:
    with site.client() as client:
        assert {client.get("/sign-in/").status_code for _ in range(12)} == {200}


@pytest.mark.nginx
def test_a_socket_goes_through(site: Site) -> None:
    with closing(site.signed_in()) as client:
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    trusted = ssl.create_default_context(cafile=site.certificate)
    address = site.address.replace("https", "wss") + "/ws"
    with connect(address, origin=site.address, ssl=trusted, additional_headers={"cookie": cookies}) as socket:
        assert json.loads(socket.recv(SECONDS))["type"] == "session.opened"


@pytest.mark.nginx
def test_a_stream_comes_as_it_is_made(site: Site) -> None:
    headers = {"authorization": f"Bearer {site.token}", "a2a-version": "1.0"}
    body = {"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "talk"}]}}
    with (
        site.client() as client,
        client.stream("POST", "/a2a/tess/v1/message:stream", json=body, headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        times = [time.monotonic() for line in answer.iter_lines() if line.startswith("data:")]

    assert len(times) > 10 and times[-1] - times[0] > 1, "nginx held the stream back"


@pytest.mark.nginx
def test_grpc_goes_through(site: Site) -> None:
    trusted = grpc.ssl_channel_credentials(Path(site.certificate).read_bytes())
    with grpc.secure_channel(site.address.removeprefix("https://"), trusted) as channel:
        metadata = (("a2a-version", "1.0"), ("authorization", f"Bearer {site.token}"))
        request = pb.ListTasksRequest(tenant="chloe")
        assert A2AServiceStub(channel).ListTasks(request, metadata=metadata, timeout=SECONDS).total_size >= 0


@pytest.mark.nginx
@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_what_is_for_machines_inside_is_not_shown_outside(site: Site, path: str) -> None:
    assert site.client().get(path).status_code == 404
