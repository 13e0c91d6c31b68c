"""What others do to accounts, and what becomes of it: entries of the audit log, and browsers that are signed out."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from accounts.actions.audit import note
from accounts.actions.sessions import forget_session
from accounts.models import ApiToken, User
from accounts.signals import session_ended

DELETED_BY_HAND = (User, Group, ApiToken)


def connect() -> None:
    user_logged_in.connect(note_sign_in, dispatch_uid="accounts.sign_in")
    user_logged_out.connect(note_sign_out, dispatch_uid="accounts.sign_out")
    user_login_failed.connect(note_failure, dispatch_uid="accounts.sign_in_failed")
    post_save.connect(note_admin_change, LogEntry, dispatch_uid="accounts.admin_change")
    for model in DELETED_BY_HAND:
        post_delete.connect(note_deletion, model, dispatch_uid=f"accounts.deleted.{model.__name__}")


def note_sign_in(sender: Any, user: User, **_: Any) -> None:
    note("person.signed_in", user, actor=user)


def note_sign_out(sender: Any, request: HttpRequest, user: User | None, **_: Any) -> None:
    if key := request.session.session_key:
        forget_session(key)
        session_ended.send(sender=User, session_key=key)
    if user is not None:
        note("person.signed_out", user, actor=user)


def note_failure(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    note("person.sign_in_failed", name=str(credentials.get("username", "")))


def note_admin_change(sender: Any, instance: LogEntry, created: bool, **_: Any) -> None:
    """Whatever the admin's forms add and change. What they delete is heard of in `note_deletion`."""
    if not created or instance.action_flag == DELETION or instance.content_type is None:
        return
    kind = f"{instance.content_type.app_label}.{instance.content_type.model}"
    verb = "added" if instance.action_flag == ADDITION else "changed"
    note(
        f"{instance.content_type.model}.{verb}",
        f"{kind}:{instance.object_id}",
        instance.object_repr,
        actor=User.objects.filter(pk=instance.user_id).first(),
        fields=_changed_fields(instance),
    )


def note_deletion(sender: Any, instance: Any, **_: Any) -> None:
    note(f"{sender._meta.model_name}.deleted", instance)


def _changed_fields(entry: LogEntry) -> list[str]:
    message = entry.get_change_message()
    return [message] if message else []
