from __future__ import annotations

import re

import pytest

from agents_app.models import Agent
from chat.agent_styles import agents_stylesheet
from chat.colours import DARK_PAPER, LIGHT_PAPER, contrast, readable
from chat.tests.room import make_agent

COLOURS = ["#000000", "#ffffff", "#ffff00", "#0000ff", "#8a4fb3", "#2f6f9f", "#808080", "#ff0000"]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("paper", [LIGHT_PAPER, DARK_PAPER])
def test_an_agents_name_can_be_read_whatever_its_colour(colour, paper):
    assert contrast(readable(colour, paper), paper) >= 4.5


def test_a_colour_that_can_be_read_stays_as_it_is():
    assert readable("#8a4fb3", LIGHT_PAPER) == "#8a4fb3"


@pytest.mark.django_db
def test_every_agent_has_its_rule():
    css = agents_stylesheet()
    for agent in Agent.objects.all():
        assert f'[data-agent="{agent.id}"]' in css
        assert f"--agent: {agent.colour};" in css


@pytest.mark.django_db
def test_what_an_operator_typed_cannot_break_out_of_the_stylesheet():
    make_agent("evil", name='x"] { } body { display: none } [a="', colour="red;}")
    rule = next(line for line in agents_stylesheet().splitlines() if "evil" in line)
    assert re.fullmatch(r'\[data-agent="evil"\][^{}]*\{[^{}]*\}', rule)
    assert "body" not in rule
