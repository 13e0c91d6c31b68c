from __future__ import annotations

import gzip
import logging
import stat
from pathlib import Path

import pytest

from tkr_chat.log_files import DailyFile
from tkr_chat.log_lines import LogLine
from tkr_chat.tests.processes import manage, python

SCRIPT = """
import logging, django
django.setup()
logging.getLogger("chat").info("Hello.", extra={"action": "said"})
logging.getLogger("chat").error("Oh no.", extra={"action": "failed"})
"""
SAY = ("-c", SCRIPT)


def file_of(path: Path) -> DailyFile:
    file = DailyFile(str(path))
    file.setFormatter(LogLine())
    return file


def record(message: str) -> logging.LogRecord:
    return logging.getLogger("chat").makeRecord("chat", logging.INFO, __file__, 1, message, (), None)


def test_it_works(tmp_path: Path) -> None:
    done = python(tmp_path, *SAY, LOG_FILES="on")

    assert done.returncode == 0, done.stderr
    assert "action=said" in (tmp_path / "logs/server.log").read_text()
    errors = (tmp_path / "logs/errors.log").read_text()
    assert "action=failed" in errors and "action=said" not in errors
    assert stat.S_IMODE((tmp_path / "logs/server.log").stat().st_mode) == 0o600


def test_who_logs_nothing_leaves_no_file(tmp_path: Path) -> None:
    assert manage(tmp_path, "check", LOG_FILES="on").returncode == 0

    assert not (tmp_path / "logs").exists()


def test_lines_are_json_when_asked(tmp_path: Path) -> None:
    python(tmp_path, *SAY, LOG_FILES="on", LOG_FORMAT="json")

    assert (tmp_path / "logs/errors.log").read_text().startswith('{"time": "')


def test_one_part_may_say_more_or_less(tmp_path: Path) -> None:
    python(tmp_path, *SAY, LOG_FILES="on", LOG_LEVELS="chat=ERROR")

    assert "action=said" not in (tmp_path / "logs/server.log").read_text()


def test_a_level_that_is_none_stops_the_start(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", LOG_LEVELS="chat=LOUD")

    assert (done.returncode, done.stderr) == (
        1,
        "LOG_LEVELS has 'chat': write parts and levels, such as LOG_LEVELS=agents_app.a2a=DEBUG\n",
    )


def test_yesterday_is_compressed(tmp_path: Path) -> None:
    file = file_of(tmp_path / "logs/server.log")
    file.handle(record("Yesterday."))
    file._opened().doRollover()
    file.handle(record("Today."))
    file.close()

    (old,) = (tmp_path / "logs").glob("*.gz")
    assert b"Yesterday." in gzip.decompress(old.read_bytes())
    assert "Today." in (tmp_path / "logs/server.log").read_text()


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").touch()
    file = file_of(tmp_path / "logs/server.log")

    file.handle(record("One."))
    file.handle(record("Two."))

    assert capsys.readouterr().err.count("cannot be written") == 1
