from __future__ import annotations

from pathlib import Path

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a detail nobody else should read")


urlpatterns = [path("broken", broken)]


@pytest.fixture
def browser(settings) -> Client:
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


def test_it_works(browser: Client) -> None:
    answer = browser.get("/broken")

    assert answer.status_code == 500
    assert "Something went wrong" in answer.text and "detail" not in answer.text


def test_what_is_not_there_has_a_page_too(browser: Client) -> None:
    answer = browser.get("/nothing")

    assert answer.status_code == 404 and "There is nothing here" in answer.text


def test_with_debug_a_developer_at_the_machine_reads_the_traceback(browser: Client, settings) -> None:
    settings.DEBUG = True

    assert "a detail nobody else should read" in browser.get("/broken").text


@pytest.mark.parametrize(
    "sender", [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}, {"REMOTE_ADDR": ""}]
)
@pytest.mark.parametrize("accepted", ["text/html", "text/plain"])
def test_even_with_debug_nobody_else_does(browser: Client, settings, sender: dict[str, str], accepted: str) -> None:
    settings.DEBUG = True

    text = browser.get("/broken", HTTP_ACCEPT=accepted, **sender).text

    assert "Something went wrong" in text and "detail" not in text and str(Path(__file__)) not in text
