from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from metrics.actions.pruning import LARGEST, SMALLEST, WISHED_SECONDS, _Work, prune_samples
from metrics.models import Sample

pytestmark = pytest.mark.django_db(transaction=True)


def sample(name: str, age: timedelta, value: float, **values) -> Sample:
    return Sample.objects.create(name=name, timestamp=timezone.now() - age, value=value, **values)


def slices_ago(hours: int) -> timedelta:
    """An age whose moment begins a slice of five minutes, so that what follows within seconds is in the same."""
    now = timezone.now()
    return timedelta(hours=hours, seconds=now.timestamp() % 300)


def test_it_works():
    sample("tkr_tasks_total", timedelta(days=31), 1)
    kept = sample("tkr_tasks_total", timedelta(minutes=5), 1)
    pruned = prune_samples(days=30, hours=48)

    assert (pruned.removed, pruned.thinned) == (1, 0)
    assert Sample.objects.get().id == kept.id


def test_what_was_counted_is_still_the_same_sum():
    begin = slices_ago(72)
    for number in range(25):
        sample("tkr_tasks_total", begin - timedelta(seconds=10 * number), 2, labels='agent="a"', process="web@a:1")
    sample("tkr_tasks_total", begin, 5, labels='agent="b"', process="web@a:1")
    pruned = prune_samples(days=30, hours=48)

    assert pruned.thinned == 26
    rows = {row.labels: row for row in Sample.objects.all()}
    assert {labels: row.value for labels, row in rows.items()} == {'agent="a"': 50, 'agent="b"': 5}
    assert {row.span for row in rows.values()} == {300}


def test_levels_are_averaged_but_not_what_is_bad_when_it_is_high():
    begin = slices_ago(72)
    for number, value in enumerate((1, 2, 9)):
        sample("tkr_sockets_open", begin - timedelta(seconds=10 * number), value)
        sample("tkr_event_loop_lag_seconds", begin - timedelta(seconds=10 * number), value)
    prune_samples(days=30, hours=48)

    assert Sample.objects.get(name="tkr_sockets_open").value == 4
    assert Sample.objects.get(name="tkr_event_loop_lag_seconds").value == 9


def test_twice_is_as_once():
    sample("tkr_tasks_total", slices_ago(72), 3)
    prune_samples(days=30, hours=48)
    again = prune_samples(days=30, hours=48)

    assert (again.removed, again.thinned) == (0, 0)
    assert Sample.objects.get().value == 3


def test_what_is_old_is_removed_wherever_it_lies():
    now = timezone.now()
    fresh = [Sample(name="tkr_tasks_total", timestamp=now, value=1) for _ in range(2 * SMALLEST)]
    Sample.objects.bulk_create(fresh)
    sample("tkr_tasks_total", timedelta(days=31), 1)
    pruned = prune_samples(days=30, hours=48)

    assert pruned.removed == 1
    assert Sample.objects.count() == len(fresh)


def test_more_series_than_fit_into_a_piece_are_all_thinned_once():
    begin = slices_ago(72)
    agents = [f'agent="{number}"' for number in range(SMALLEST)]
    for number, labels in enumerate(agents):
        for seconds in (0, 10, 20):
            sample("tkr_tasks_total", begin - timedelta(seconds=seconds), number, labels=labels)
    pruned = prune_samples(days=30, hours=48)

    assert pruned.thinned == 3 * len(agents) > SMALLEST
    assert {row.labels: row.value for row in Sample.objects.all()} == {
        labels: 3.0 * number for number, labels in enumerate(agents)
    }


def test_a_piece_is_as_large_as_time_allows():
    work = _Work(None)
    for _ in range(100):
        work.took(WISHED_SECONDS / 10)
    assert work.rows == LARGEST
    work.took(WISHED_SECONDS * 2)
    assert work.rows == LARGEST / 2
    for _ in range(100):
        work.took(WISHED_SECONDS * 100)
    assert work.rows == SMALLEST


def test_the_command_tells_programs(capsys):
    sample("tkr_tasks_total", timedelta(days=8), 1)
    call_command("prunemetrics", "--days", "7", "--json")

    assert json.loads(capsys.readouterr().out)["removed"] == 1


def test_the_command_tells_people(capsys):
    call_command("prunemetrics")

    assert "Removed 0 samples" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [("--days", "0"), ("--full-hours", "-1"), ("--days", "many")])
def test_wrong_arguments_are_refused_and_nothing_is_removed(wrong):
    sample("tkr_tasks_total", timedelta(days=400), 1)
    with pytest.raises(CommandError):
        call_command("prunemetrics", *wrong)

    assert Sample.objects.exists()
