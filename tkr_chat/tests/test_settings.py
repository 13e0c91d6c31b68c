from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tkr_chat.tests.processes import manage, python

SHOW = ("-c", "from django.conf import settings as s; print(s.DEBUG, s.SECRET_KEY, s.PUBLIC_URL)")


def shown(data: Path, **variables: str) -> list[str]:
    done = python(data, *SHOW, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_it_works(tmp_path: Path) -> None:
    debug, key, public_url = shown(tmp_path)

    assert debug == "False" and len(key) >= 50 and public_url == "http://127.0.0.1:8000"


def test_for_local_use_the_secret_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    _, first, _ = shown(tmp_path)
    _, second, _ = shown(tmp_path)

    file = tmp_path / "secret-key"
    assert first == second == file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("variables", [{"DEBUG": "off"}, {"ALLOWED_HOSTS": "127.0.0.1,chat.example.com"}])
def test_whoever_serves_others_has_to_say_the_secret_key(tmp_path: Path, variables: dict[str, str]) -> None:
    done = python(tmp_path, *SHOW, **variables)

    assert done.returncode == 1 and not list(tmp_path.iterdir())
    assert done.stderr.startswith("SECRET_KEY is missing while DEBUG is off: write SECRET_KEY='")
    assert shown(tmp_path, SECRET_KEY="said", **variables)[1] == "said"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DB_POOL_MIN", "many", "DB_POOL_MIN is 'many': write a whole number, 0 or more, such as DB_POOL_MIN=20."),
        ("DEBUG", "perhaps", "DEBUG is 'perhaps': write DEBUG=on or DEBUG=off."),
        (
            "HOST",
            "192.0.2.7",
            "ALLOWED_HOSTS does not let http://192.0.2.7:8000 in: write ALLOWED_HOSTS=192.0.2.7.",
        ),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    done = manage(tmp_path, "check", **{name: value})

    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{sentence}\n")


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = manage(tmp_path / "file" / "data", "check")

    assert done.returncode == 1 and done.stderr.startswith("DATA_DIR ") and done.stderr.count("\n") == 1


def test_a_server_that_listens_everywhere_is_reached_through_this_machine(tmp_path: Path) -> None:
    assert shown(tmp_path, HOST="0.0.0.0")[2] == "http://127.0.0.1:8000"


def test_a_server_for_others_passes_the_check_for_deployment(tmp_path: Path) -> None:
    others = {
        "DEBUG": "off",
        "SECRET_KEY": "Zm9yIGEgdGVzdCBhbG9uZSwgYnV0IGxvbmcgYW5kIHZhcmllZCBlbm91Z2gh",
        "ALLOWED_HOSTS": "127.0.0.1,chat.example.com",
        "PUBLIC_URL": "https://chat.example.com",
    }

    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **others)

    assert (done.returncode, done.stderr) == (0, ""), done.stderr
