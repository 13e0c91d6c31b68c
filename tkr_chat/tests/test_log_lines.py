from __future__ import annotations

import contextvars
import json
import logging
import sys

from accounts.context import bind, binding, bound
from tkr_chat.log_lines import JsonLine, LogLine, WithContext


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


def test_it_says_for_whom_it_happened() -> None:
    with binding(person="ada", task="t1"):
        record = logging.getLogger("agents_app").makeRecord("agents_app", logging.INFO, __file__, 1, "Hm.", (), None)
        WithContext().filter(record)

    assert "person=ada task=t1" in LogLine().format(record)


def test_what_one_request_binds_is_not_seen_in_another() -> None:
    def two_requests() -> None:
        contextvars.copy_context().run(bind, person="ada")
        assert bound() == {}

    contextvars.Context().run(two_requests)


def test_as_json_it_holds_the_same() -> None:
    record = logging.getLogger("chat").makeRecord(
        "chat", logging.ERROR, __file__, 1, "Two\nlines.", (), failure(), extra={"action": "x", "task": 7}
    )

    read = json.loads(JsonLine().format(record))

    assert (read["level"], read["action"], read["msg"], read["task"]) == ("ERROR", "x", "Two\nlines.", 7)
    assert "ValueError" in read["traceback"]
