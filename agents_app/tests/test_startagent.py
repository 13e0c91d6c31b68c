from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

# The product's settings, with the agents of another folder.
SETTINGS = """
import sys
from tkr_chat.tests.settings import *
sys.path.insert(0, {folder!r})
INSTALLED_APPS = [*INSTALLED_APPS, "agents_local.{name}"]
"""


def start(name: str, folder: Path) -> Path:
    call_command("startagent", name, folder=folder / "agents_local", verbosity=0)
    return folder / "agents_local" / name


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "DJANGO_SETTINGS_MODULE": "new_settings",
        "PYTHONPATH": f"{django_settings.BASE_DIR}:{folder}",
        "PATH": "/usr/bin:/bin",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_works_at_once(tmp_path: Path) -> None:
    """Its own tests pass, and it is among the agents."""
    made = start("travel_guide", tmp_path)
    assert {path.name for path in made.iterdir()} >= {"agents.py", "prompt.md", "tools.py", "apps.py", "tests"}
    (tmp_path / "new_settings.py").write_text(SETTINGS.format(folder=str(tmp_path), name="travel_guide"))
    tested = python(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", str(made))
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "3 passed" in tested.stdout
    listed = python(
        tmp_path, "-c", "import django; django.setup(); from agents_app import registry; print(list(registry.agents()))"
    )
    assert "'chloe', 'phil', 'travel_guide'" in listed.stdout, listed.stderr


def test_people_may_write_a_name_as_they_like(tmp_path: Path) -> None:
    call_command("startagent", "Travel Guide", folder=tmp_path / "agents_local", verbosity=0)
    agent = (tmp_path / "agents_local" / "travel_guide" / "agents.py").read_text()
    assert "class TravelGuide(Agent):" in agent
    assert 'name = "Travel Guide"' in agent


@pytest.mark.parametrize(
    ("name", "words"), [("chloe", "taken"), ("chat", "taken"), ("1st", "begin with a letter"), ("!", "cannot")]
)
def test_names_that_do_not_work_are_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        start(name, tmp_path)
    assert not (tmp_path / "agents_local").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    made = start("travel_guide", tmp_path)
    (made / "prompt.md").write_text("Mine.")
    with pytest.raises(CommandError, match="exists already"):
        start("travel_guide", tmp_path)
    assert (made / "prompt.md").read_text() == "Mine."


def test_settings_find_local_agents(settings: Any) -> None:
    assert settings.LOCAL_AGENTS_DIR == settings.BASE_DIR / "agents_local"
