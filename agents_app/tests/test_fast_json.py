import json
from typing import Any
from uuid import UUID

from agents_app import fast_json
from agents_app.models import TaskState


def test_it_works() -> None:
    assert fast_json.dumps({"state": TaskState.WORKING, "parts": [{"text": "für"}]}) == (
        '{"state":"working","parts":[{"text":"für"}]}'.encode()
    )


def test_numbers_of_any_size_and_keys_that_are_no_text_go_pythons_way() -> None:
    assert json.loads(fast_json.dumps({"big": 2**70, "nested": {1: "one"}})) == {"big": 2**70, "nested": {"1": "one"}}


def test_half_a_surrogate_pair_comes_back_as_it_was() -> None:
    assert json.loads(fast_json.dumps({"id": "\ud800"})) == {"id": "\ud800"}


def test_what_is_nested_deeply_goes_pythons_way() -> None:
    value: list[Any] = []
    for _ in range(500):
        value = [value]
    assert json.loads(fast_json.dumps(value)) == value


def test_what_is_no_json_is_made_into_some() -> None:
    id = UUID(int=7)
    assert json.loads(fast_json.dumps({"id": id, "set": {1}}, default=str)) == {"id": str(id), "set": "{1}"}
