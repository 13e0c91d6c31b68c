from __future__ import annotations

import re

import pytest
from django.conf import settings

from tkr_chat.settings import env

EXAMPLE = (settings.BASE_DIR / ".env.example").read_text()
LISTED = dict(re.findall(r"^#([A-Z0-9_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE))


def test_it_works() -> None:
    assert len(LISTED) > 30


def test_every_variable_that_is_read_is_listed_and_every_listed_one_is_read() -> None:
    assert set(LISTED) == set(env.asked)


@pytest.mark.parametrize("name", sorted(env.asked))
def test_the_listed_default_is_the_real_one(name: str) -> None:
    assert LISTED[name] == env.asked[name]


def test_each_variable_is_explained_above_it() -> None:
    for group in EXAMPLE.split("\n\n"):
        lines = group.splitlines()
        assert lines[0].startswith("# "), f"no explanation above {lines[0]}"
