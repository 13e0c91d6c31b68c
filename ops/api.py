"""REST for operators: it translates, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import ConfigDict, Field

from accounts.models import User
from agents_app.threads import in_thread
from chat.api.authentication import ApiRequest, StaffTokenAuth
from metrics.models import Process
from ops import access
from ops.actions import control
from ops.actions.backups import ask_for_backup, ask_for_proof, take_stock
from ops.actions.control import OpenSockets
from ops.backups.refusals import NoSuchBackup, Refused
from ops.backups.stores import the_store
from ops.control.giving import NoSuchProcess, Outcome

router = Router(auth=[StaffTokenAuth()])


class SocketOut(Schema):
    """One open tab of a browser. Times are seconds since 1970."""

    id: str
    process: str
    person: UUID
    name: str
    address: str
    browser: str
    conversations: list[UUID]
    since: float
    heard_at: float = Field(description="Its last frame, or the last ping that it answered.")
    frames_in: int
    frames_out: int
    waiting: int = Field(description="Characters that it has not taken yet.")


class SocketsOut(Schema):
    count: int
    sockets: list[SocketOut]
    silent: list[str] = Field(description="Processes that are alive and did not say.")


class ResetIn(Schema):
    model_config = ConfigDict(extra="forbid")

    socket: str = Field("", description="Only this one.")
    person: str = Field("", description="Only those of this person, by id.")


class ProcessIn(Schema):
    model_config = ConfigDict(extra="forbid")

    process: str = Field("", description="Only this one; empty: all.")


class OutcomeOut(Schema):
    answers: dict[str, Any] = Field(description="What each process said, by its name.")
    silent: list[str]


class ProcessOut(Schema):
    name: str
    kind: str
    version: str
    started_at: datetime
    last_seen_at: datetime
    memory_bytes: int
    loop_lag_seconds: float
    open_sockets: int
    running_tasks: int
    pool_size: int | None
    pool_max: int | None
    pool_in_use: int | None
    pool_waiting: int | None
    pool_timeouts: int | None


@router.get("/ws-status", response=SocketsOut, summary="List the open WebSockets")
async def ws_status(request: HttpRequest) -> OpenSockets:
    """Of all processes, those open longest first."""
    return await in_thread(control.list_sockets)


@router.post("/ws-reset", response=OutcomeOut, summary="Close WebSockets")
async def ws_reset(request: HttpRequest, which: ResetIn) -> Outcome:
    """All, those of a person, or one. Pages connect again by themselves and lose nothing."""
    return await in_thread(control.reset_sockets, which.socket, which.person)


@router.post("/reset-pool", response=OutcomeOut, summary="Replace the database connections")
async def reset_pool(request: HttpRequest, which: ProcessIn) -> Outcome:
    """Connections in use are closed when they come back. On SQLite there is no pool, and the answers say so."""
    return await in_thread(_obeyed, control.reset_pool, which.process)


@router.get("/reset-pool", response=OutcomeOut, summary="Replace the database connections, by GET")
async def reset_pool_by_get(request: HttpRequest, process: str = "") -> Outcome:
    """The same, for tools that cannot do more than open an address; with a bearer token, as everything here."""
    return await in_thread(_obeyed, control.reset_pool, process)


@router.get("/processes", response=list[ProcessOut], summary="List the processes")
async def list_processes(request: HttpRequest) -> list[Process]:
    """Those that are alive, as they last told of themselves."""
    return await in_thread(lambda: list(Process.objects.alive()))


@router.post("/processes/drain", response=OutcomeOut, summary="End a process in order")
async def drain_process(request: HttpRequest, which: ProcessIn) -> Outcome:
    """It hands over what runs, and ends; whoever keeps it up starts it again."""
    if not which.process:
        raise HttpError(400, "Name the process: it would end the whole server.")
    return await in_thread(_obeyed, control.drain_process, which.process)


@router.post("/recover", response=OutcomeOut, summary="Take over tasks whose process died")
async def recover(request: HttpRequest) -> Outcome:
    """At once, instead of at the next look."""
    return await in_thread(control.recover_tasks)


def _obeyed(act: Callable[[str], Outcome], process: str) -> Outcome:
    try:
        return act(process)
    except NoSuchProcess as missing:
        raise HttpError(404, str(missing)) from None


class BackupOut(Schema):
    name: str
    state: str = Field(description="running, whole, failed (`error` says why) or gone")
    error: str
    made_at: datetime
    seconds: float | None
    size: int = Field(description="Bytes.")
    messages: int
    version: str
    database: str
    encrypted: bool
    proof: str = Field(description="none, running, proven or failed (`proof_error` says why)")
    proof_error: str
    proven_at: datetime | None


class LastProofOut(Schema):
    """The last restore that was proven, of a backup that is still there."""

    name: str
    at: datetime
    messages: int
    seconds: float


class BackupsOut(Schema):
    where: str
    last_proof: LastProofOut | None
    backups: list[BackupOut]


@router.get("/backups", response=BackupsOut, summary="List the backups")
async def list_backups(request: HttpRequest) -> BackupsOut:
    """Newest first. For administrators' tokens, as everything under `/admin`."""
    return await in_thread(_listed)


@router.post("/backups", response={202: BackupOut}, summary="Make a backup")
async def make_backup(request: ApiRequest) -> Status:
    """It is made beside the server; ask the list until its state is `whole`."""
    return Status(202, await in_thread(_make, request.auth))


@router.post("/backups/{name}/prove", response={202: BackupOut}, summary="Prove a backup")
async def prove_backup(request: ApiRequest, name: str) -> Status:
    """Restores it into a database of its own and compares; ask the list until its proof is `proven`."""
    return Status(202, await in_thread(_prove, request.auth, name))


def _listed() -> BackupsOut:
    try:
        take_stock()
    except Refused as refusal:
        raise HttpError(409, str(refusal)) from None
    last = access.last_proof()
    return BackupsOut(
        where=the_store().where,
        last_proof=LastProofOut(**last._asdict()) if last else None,
        backups=[BackupOut.from_orm(backup) for backup in access.list_backups()],
    )


def _make(user: User) -> BackupOut:
    try:
        return BackupOut.from_orm(ask_for_backup(user))
    except Refused as refusal:
        raise HttpError(409, str(refusal)) from None


def _prove(user: User, name: str) -> BackupOut:
    try:
        return BackupOut.from_orm(ask_for_proof(access.get_backup(name)))
    except NoSuchBackup as refusal:
        raise HttpError(404, str(refusal)) from None
    except Refused as refusal:
        raise HttpError(409, str(refusal)) from None
