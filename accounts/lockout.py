"""What somebody sees who guesses passwords. Counting is django-axes'; its settings are in settings.py."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def refuse(request: HttpRequest, *_: Any) -> HttpResponse:
    """The page to sign in, with the reason. The address is shut out for this name alone, so nobody locks others out."""
    minutes = round(settings.AXES_COOLOFF_TIME.total_seconds() / 60)
    too_many = f"Too many attempts. Try again in {minutes} minutes, or ask an administrator for a sign-in link."
    page = {"form": AuthenticationForm(request), "too_many": too_many, "next": request.POST.get("next", "")}
    response = render(request, "accounts/sign_in.html", page, status=429)
    response["Retry-After"] = str(60 * minutes)
    return response
