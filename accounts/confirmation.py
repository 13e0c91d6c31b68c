"""Before the admin does what many people would notice it asks, on a page of its own: no script, and Back works."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse

CONFIRMED = "confirmed"
NOT_KEPT = {"csrfmiddlewaretoken", CONFIRMED}


def ask_first(
    request: HttpRequest,
    site: AdminSite,
    question: str,
    what_happens: str,
    *,
    button: str,
    back: str,
    about: object = (),
) -> TemplateResponse | None:
    """The page that asks; it sends the same form once more. None: it was answered, go on.

    `about`: what it concerns, one a line.
    """
    if request.POST.get(CONFIRMED) == "yes":
        return None
    kept = [(name, value) for name, values in request.POST.lists() if name not in NOT_KEPT for value in values]
    page = {
        "title": question,
        "what_happens": what_happens,
        "about": about,
        "button": button,
        "back": back,
        "kept": kept,
    }
    return TemplateResponse(request, "accounts/confirm.html", site.each_context(request) | page)
