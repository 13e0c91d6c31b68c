from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import AsyncClient, Client
from django.test.utils import override_settings

IMPORT = re.compile(r"""(?m)^(?:import|export)\b[^'";]*?["'](\.[^'"]+)["']""")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Static files as a real server has them."""
    folder = tmp_path_factory.mktemp("static")
    storages = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "tkr_chat.static_files.StaticFilesStorage"},
    }
    hashed: dict[str, Any] = {"STATIC_ROOT": folder, "STORAGES": storages}
    with override_settings(**hashed, WHITENOISE_USE_FINDERS=False, WHITENOISE_AUTOREFRESH=False):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield folder


def test_it_works(collected: Path, client: Client) -> None:
    answer = client.get(staticfiles_storage.url("js/application.js"))

    assert answer.status_code == 200 and "javascript" in answer["Content-Type"]
    assert "immutable" in answer["Cache-Control"]


def test_every_module_imports_others_by_their_hashed_names(collected: Path) -> None:
    modules = list(collected.glob("js/**/*.????????????.js"))
    imports = [(module, name) for module in modules for name in IMPORT.findall(module.read_text())]

    assert len(imports) > 10, "need modules that import others for this test to mean anything"
    for module, name in imports:
        assert re.search(r"\.[0-9a-f]{12}\.js$", name), f"{module.name} imports {name}"
        assert (module.parent / name).exists(), f"{module.name} imports {name}"


@pytest.mark.parametrize(
    "source",
    [
        'import { a } from "./other.js"',
        "import {\n  a,\n  b,\n} from './other.js';",
        'import "./other.js"',
        'export { a } from "./other.js"',
        'const other = await import("./other.js")',
    ],
)
def test_every_way_to_import_is_found(source: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "other.js").write_text("export const a = 1")
    (tmp_path / "in" / "main.js").write_text(f"// first\n{source}\n")
    own_files = {
        "STATIC_ROOT": tmp_path / "out",
        "STATICFILES_DIRS": [tmp_path / "in"],
        "STATICFILES_FINDERS": ["django.contrib.staticfiles.finders.FileSystemFinder"],
        "STORAGES": {"staticfiles": {"BACKEND": "tkr_chat.static_files.StaticFilesStorage"}},
    }

    with override_settings(**own_files):
        call_command("collectstatic", interactive=False, verbosity=0)
        main = (tmp_path / "out" / staticfiles_storage.stored_name("main.js")).read_text()

    assert re.search(r"""["']\./other\.[0-9a-f]{12}\.js["']""", main)


async def test_the_asynchronous_server_gives_them_whole(collected: Path, async_client: AsyncClient) -> None:
    answer = await async_client.get(staticfiles_storage.url("js/application.js"))

    assert answer.status_code == 200 and not answer.streaming


def test_a_browser_that_has_the_file_gets_nothing_twice(collected: Path, client: Client) -> None:
    url = staticfiles_storage.url("js/application.js")
    etag = client.get(url)["ETag"]

    answer = client.get(url, headers={"if-none-match": etag})

    assert answer.status_code == 304 and answer.content == b""


def test_a_part_of_a_file_is_given(collected: Path, client: Client) -> None:
    answer = client.get(staticfiles_storage.url("js/application.js"), headers={"range": "bytes=0-9"})

    assert answer.status_code == 206 and len(answer.content) == 10


def test_other_sites_get_no_permission_to_read_them(collected: Path, client: Client) -> None:
    assert "Access-Control-Allow-Origin" not in client.get(staticfiles_storage.url("js/application.js"))


@pytest.mark.parametrize("path", ["/static/../settings.py", "/static/%2e%2e/manage.py", "/static/nothing.js"])
def test_nothing_else_is_given(collected: Path, client: Client, path: str, db: None) -> None:
    assert client.get(path).status_code == 404
