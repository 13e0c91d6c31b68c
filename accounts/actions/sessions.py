"""Browsers in which people are signed in: noted, listed, and ended from elsewhere."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.actions.audit import note
from accounts.models import BrowserSession, User
from accounts.signals import session_ended

SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


def note_session(request: HttpRequest, user_id: str) -> None:
    """This browser is in use, now."""
    BrowserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user_id": user_id,
            "address": request.META.get("REMOTE_ADDR", "")[:64],
            "user_agent": request.headers.get("user-agent", "")[:300],
            "seen_at": timezone.now(),
        },
    )


def end_session(session: BrowserSession) -> None:
    """Sign this browser out. Its pages notice at once, its requests from the next one on."""
    with transaction.atomic():
        SessionStore(session.session_key).delete()
        note("session.ended", session, actor=None)
        session.delete()
    session_ended.send(sender=BrowserSession, session_key=session.session_key)


def end_other_sessions(user: User, kept: str) -> int:
    """Sign out every browser of `user` but the one with the session key `kept`. Returns how many."""
    others = list(user.browser_sessions.exclude(session_key=kept))
    for session in others:
        end_session(session)
    return len(others)


def forget_session(session_key: str) -> None:
    """It has ended by itself."""
    BrowserSession.objects.filter(session_key=session_key).delete()
