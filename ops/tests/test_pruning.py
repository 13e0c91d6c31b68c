from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ops.backups.pruning import Dated, Keep, kept_names

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)  # a Saturday


def nightly(days: int, hours: int = 0) -> list[Dated]:
    """One for each of so many nights, named after its day."""
    moments = [NOON - timedelta(days=day, hours=hours) for day in range(days)]
    return [Dated(f"{moment:%m-%d %H}", moment) for moment in moments]


def test_it_works() -> None:
    kept = kept_names(nightly(60), Keep(days=3, weeks=2, months=2))

    assert kept == {
        "11-28 12": ["newest", "day", "week", "month"],
        "11-27 12": ["day"],
        "11-26 12": ["day"],
        "11-22 12": ["week"],
        "10-31 12": ["month"],
    }


def test_of_a_day_the_newest_is_kept() -> None:
    assert set(kept_names(nightly(2) + nightly(2, hours=1), Keep(2, 0, 0))) == {"11-28 12", "11-27 12"}


def test_a_long_silence_deletes_nothing() -> None:
    old = [Dated("a year ago", NOON - timedelta(days=365)), Dated("older", NOON - timedelta(days=366))]

    assert set(kept_names(old, Keep(7, 4, 12))) == {"a year ago", "older"}


def test_the_newest_stays_whatever_the_rule() -> None:
    assert set(kept_names(nightly(9), Keep(0, 0, 0))) == {"11-28 12"}
    assert kept_names([], Keep(7, 4, 12)) == {}
