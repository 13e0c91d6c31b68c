"""What stands in deploy/ speaks of metrics that there are, with labels that they have."""

from __future__ import annotations

import json
import re

import pytest
from django.conf import settings

from metrics import registry
from metrics.exposition import list_names
from metrics.readings import all_readings

FILES = ("prometheus/rules.yml", "grafana/dashboard.json")
NAME = re.compile(r"\btkr_[a-z0-9_]+")
SELECTED = re.compile(r"\b(tkr_[a-z0-9_]+)\{(\w+)=")
GROUPED = re.compile(r"by \(([\w, ]+)\) \((?:rate\()?(tkr_[a-z0-9_]+)")


def text_of(file: str) -> str:
    return (settings.BASE_DIR / "deploy" / file).read_text()


def labels_of(name: str) -> set[str]:
    family = name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
    for reading in all_readings():
        if reading.name == name:
            return set(reading.labels)
    for metric in vars(registry).values():
        known = getattr(metric, "_name", None)
        if known and known in (family, name.removesuffix("_total")):
            return {*metric._labelnames, "process", "le"}
    return {"process"}


@pytest.mark.parametrize("file", FILES)
def test_it_works(file):
    named = set(NAME.findall(text_of(file)))
    assert len(named) > 10, "need a file that speaks of metrics for this test to mean anything"

    assert named <= set(list_names())


@pytest.mark.parametrize("file", FILES)
def test_labels_are_those_of_the_metric(file):
    text = text_of(file).replace('\\"', '"')
    for name, label in SELECTED.findall(text):
        assert label in labels_of(name), f"{name} has no label {label}"
    for labels, name in GROUPED.findall(text):
        assert set(labels.split(", ")) <= labels_of(name), f"{name} by {labels}"


def test_the_dashboard_is_one():
    dashboard = json.loads(text_of("grafana/dashboard.json"))
    ids = [panel["id"] for panel in dashboard["panels"]]

    assert len(set(ids)) == len(ids) > 15
    assert all(panel["targets"] for panel in dashboard["panels"])
