"""A task's push configurations, as A2A JSON (TaskPushNotificationConfig). The caller made sure that the task is theirs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from a2a.utils.errors import InvalidParamsError, TaskNotFoundError
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents_app import vault
from agents_app.a2a.push.fields import Fields, read_fields, wrong
from agents_app.a2a.push.targets import check_target
from agents_app.actions.tasks import TaskWrites
from agents_app.models import PushConfig, PushDelivery, Task
from agents_app.outgoing import OutgoingError
from agents_app.threads import in_thread

PAGE_SIZE = 50
MAX_PAGE_SIZE = 100
CHANGEABLE = ("url", "token", "scheme", "credentials", "legacy")


async def create_config(task: Task, json: Mapping[str, Any], *, legacy: bool = False) -> dict[str, Any]:
    """Keep a configuration and return it with its id; the same id again replaces it. `legacy`: made by a caller of 0.3.

    Raises `InvalidParamsError`, and `TaskNotFoundError` when the task is deleted meanwhile.
    """
    fields = await _checked(json)
    return _to_json(await in_thread(_save, task, fields, legacy), task)


async def config_row(task: Task, json: Mapping[str, Any], *, legacy: bool = False) -> PushConfig:
    """The same, unsaved: for an entry of the journal that saves it together with a new task, before its first event."""
    return await in_thread(_row, task, await _checked(json), legacy)


async def add_config(writes: TaskWrites, task: Task, json: Mapping[str, Any], *, legacy: bool = False) -> PushConfig:
    """Save a configuration with these writes, whether its task is new or goes on and had one of this id."""
    config = await config_row(task, json, legacy=legacy)
    if config._state.adding:  # noqa: SLF001  (Django documents it)
        writes.new.append(config)
    else:
        writes.changes.append((config, CHANGEABLE))
    return config


async def get_config(task: Task, id: str) -> dict[str, Any]:
    """Raises `TaskNotFoundError`, which is A2A's word for a missing configuration too."""
    config = await in_thread(PushConfig.objects.filter(task_id=task.id, name=id).first)
    if config is None:
        raise TaskNotFoundError(f"This task has no push notification configuration with the id {id}.")
    return _to_json(config, task)


async def list_configs(task: Task, page_size: int | None = None, page_token: str = "") -> dict[str, Any]:
    """`{configs, nextPageToken}`, oldest first; an empty token on the last page. Raises `InvalidParamsError`."""
    size = page_size or PAGE_SIZE
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise wrong("pageSize", f"pageSize must be 1 to {MAX_PAGE_SIZE}.")
    configs = PushConfig.objects.filter(task_id=task.id).order_by("id")
    if page_token:
        configs = configs.filter(id__gt=_position(page_token))
    found = await in_thread(list, configs[: size + 1])
    page = found[:size]
    return {
        "configs": [_to_json(config, task) for config in page],
        "nextPageToken": _token(page[-1].id) if len(found) > size else "",
    }


async def delete_config(task: Task, id: str) -> None:
    """For ever, with what still waited to be sent there. Deleting what is not there is no error."""
    await in_thread(_delete, task, id)


async def _checked(json: Mapping[str, Any]) -> Fields:
    fields = read_fields(json)
    try:
        await check_target(fields.url)
    except OutgoingError as error:
        raise wrong("url", f"Notifications cannot be posted to this url. {error}") from None
    return fields


def _save(task: Task, fields: Fields, legacy: bool) -> PushConfig:
    with transaction.atomic():
        if not _lock(task):
            raise TaskNotFoundError
        config = _row(task, fields, legacy)
        config.save()
    return config


def _row(task: Task, fields: Fields, legacy: bool) -> PushConfig:
    configs = PushConfig.objects.filter(task_id=task.id)
    config = configs.filter(name=fields.id).first() if fields.id else None
    if config is None:
        if configs.count() >= settings.A2A_PUSH_MAX_CONFIGS:
            raise InvalidParamsError(
                f"A task has at most {settings.A2A_PUSH_MAX_CONFIGS} push notification configurations. Delete one first."
            )
        config = PushConfig(task_id=task.id, created_at=timezone.now())
        config.name = fields.id or str(config.id)
    config.url, config.scheme, config.legacy = fields.url, fields.scheme, legacy
    config.token = _kept(fields.token)
    config.credentials = _kept(fields.credentials)
    return config


def _delete(task: Task, id: str) -> None:
    configs = PushConfig.objects.filter(task_id=task.id, name=id)
    with transaction.atomic():
        _lock(task)
        # A try that comes back now must find its delivery gone, or leave its attempt before this looks for attempts.
        list(PushDelivery.objects.select_for_update().filter(config__in=configs).order_by("id").values_list("id"))
        configs.delete()


def _lock(task: Task) -> bool:
    """The journal holds this lock too, so no event finds half a change. False: the task is gone."""
    return bool(Task.objects.select_for_update().filter(id=task.id).values_list("id"))


def _to_json(config: PushConfig, task: Task) -> dict[str, Any]:
    json: dict[str, Any] = {"id": config.name, "taskId": str(config.task_id), "url": config.url}
    if task.tenant:
        json["tenant"] = task.tenant
    if config.token:
        json["token"] = vault.decrypt(config.token)
    if config.scheme:
        json["authentication"] = {"scheme": config.scheme}
    if config.credentials:
        json["authentication"]["credentials"] = vault.decrypt(config.credentials)
    return json


def _kept(secret: str) -> str:
    return vault.encrypt(secret) if secret else ""


def _token(position: UUID) -> str:
    return base64.urlsafe_b64encode(position.bytes).decode().rstrip("=")


def _position(token: str) -> UUID:
    try:
        return UUID(bytes=base64.urlsafe_b64decode(token + "=="))
    except ValueError:
        raise InvalidParamsError("pageToken is none that this server gave.") from None
