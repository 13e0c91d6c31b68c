from __future__ import annotations

import logging
import sys

from tkr_chat.log_lines import LogLine


def line(message: str = "Finished a task.", fold: bool = True, exc_info=None, **extra: object) -> str:
    record = logging.getLogger("agents_app").makeRecord(
        "agents_app", logging.INFO, __file__, 1, message, (), exc_info, extra=extra
    )
    record.created = 1_700_000_000.5
    return LogLine(fold).format(record)


def failure():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        return sys.exc_info()


def test_it_works() -> None:
    assert line(action="task.finished", task=7) == (
        '2023-11-14T22:13:20.500+00:00 INFO action=task.finished logger=agents_app msg="Finished a task." task=7'
    )


def test_a_record_without_an_action_is_still_found_by_its_logger() -> None:
    assert "action=- logger=agents_app" in line()


def test_a_value_cannot_look_like_a_new_record() -> None:
    text = line('a\n2023 INFO action=faked "quoted"')

    assert "\n" not in text and r"\n2023 INFO action=faked \"quoted\"" in text


def test_a_traceback_stays_in_its_line() -> None:
    text = line(exc_info=failure())

    assert "\n" not in text and r"\nValueError: two\nlines" in text


def test_for_developers_a_traceback_is_readable() -> None:
    assert "\nValueError: two\nlines" in line(fold=False, exc_info=failure())
