from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import find_usable_link, list_sessions
from accounts.actions.api_tokens import make_token, revoke_token
from accounts.actions.audit import note
from accounts.actions.sessions import end_other_sessions, end_session
from accounts.actions.sign_in_links import use_sign_in_link
from accounts.forms import ProfileForm, TokenForm, password_form
from accounts.models import User

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"

sign_in = LoginView.as_view(template_name="accounts/sign_in.html", redirect_authenticated_user=True)
sign_out = LogoutView.as_view(next_page="sign_in")


class SignedInRequest(HttpRequest):
    """What `login_required` lets through."""

    user: User


def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """The admin's own sign-in page knows no limit of attempts."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", "/admin/"))


@never_cache
@require_GET  # not HEAD: programs that look where a link leads must not use it up
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    link = find_usable_link(token)
    if link and use_sign_in_link(link):
        login(request, link.user, MODEL_BACKEND)
    elif not request.user.is_authenticated:
        return render(request, "accounts/link_spent.html", status=410)
    return redirect("/")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":
        return _settings_page(request)
    form = ProfileForm(request.POST, instance=request.user)
    if not form.is_valid():
        return _settings_page(request, profile_form=form)
    form.save()
    return _saved(request, "Your name is saved.")


@login_required
@require_POST
def set_password(request: SignedInRequest) -> HttpResponse:
    form = password_form(request.user, request.POST)
    if not form.is_valid():
        return _settings_page(request, password_form=form)
    update_session_auth_hash(request, form.save())
    note("password.changed", request.user)
    end_other_sessions(request.user, request.session.session_key or "")
    return _saved(request, "Your password is saved, and all other browsers are signed out.")


@never_cache
@login_required
@require_POST
def create_token(request: SignedInRequest) -> HttpResponse:
    """Answers with the page itself: the token's text is nowhere else, so a redirect could not show it."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, token_form=form)
    limits = {name: form.cleaned_data[name] for name in ("scopes", "agents", "tenant")}
    token, text = make_token(request.user, form.cleaned_data["name"], form.expires_at, **limits)
    return _settings_page(request, new_token=token, new_token_text=text)


@login_required
@require_POST
def end_token(request: SignedInRequest, token_id: UUID) -> HttpResponse:
    token = get_object_or_404(request.user.api_tokens, pk=token_id)
    revoke_token(token)
    return _saved(request, f"The token “{token.name}” is revoked.")


@login_required
@require_POST
def sign_out_session(request: SignedInRequest, session_id: UUID) -> HttpResponse:
    session = get_object_or_404(request.user.browser_sessions, pk=session_id)
    end_session(session)
    return _saved(request, f"{session.browser} is signed out.")


@login_required
@require_POST
def sign_out_others(request: SignedInRequest) -> HttpResponse:
    end_other_sessions(request.user, request.session.session_key or "")
    return _saved(request, "All other browsers are signed out.")


def _settings_page(request: SignedInRequest, **shown: Any) -> HttpResponse:
    user = request.user
    page = {
        "profile_form": ProfileForm(instance=user),
        "password_form": password_form(user),
        "token_form": TokenForm(),
        "tokens": user.api_tokens.filter(revoked_at=None),
        "sessions": list_sessions(user),
        "this_session": request.session.session_key,
    }
    failed = any(name.endswith("_form") for name in shown)
    return render(request, "accounts/settings.html", page | shown, status=422 if failed else 200)


def _saved(request: SignedInRequest, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect("settings")
