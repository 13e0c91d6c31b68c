from __future__ import annotations

from collections.abc import Iterator

import pytest

from agents_app.tests.fake_internet import FakeInternet, serve


@pytest.fixture
def internet(settings) -> Iterator[FakeInternet]:
    """A web server of this test's own, which the tools take for the internet."""
    with serve() as internet:
        settings.OUTGOING_ALLOW = ["127.0.0.1"]
        settings.OPEN_METEO_URL = settings.OPEN_METEO_GEOCODING_URL = settings.OPENWEATHER_URL = internet.url
        yield internet
