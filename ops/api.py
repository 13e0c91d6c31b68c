"""REST for operators: it translates, and decides nothing."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from accounts.models import User
from agents_app.threads import in_thread
from chat.api.authentication import ApiRequest, StaffTokenAuth
from ops import access
from ops.actions.backups import ask_for_backup, ask_for_proof, take_stock
from ops.backups.refusals import NoSuchBackup, Refused
from ops.backups.stores import the_store

router = Router(auth=[StaffTokenAuth()])


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
