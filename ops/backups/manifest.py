"""What a backup says of itself, before anything of it is unpacked. It holds no secret, and is sealed with the rest."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import struct
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import BinaryIO

from django.conf import settings

from ops.backups.refusals import DoesNotFit, Foreign, Truncated, WrongKey
from ops.backups.sealing import SALT_BYTES, Chain, Cipher, Sealing

MAGIC = b"tkr-agent-chat backup\n"
LENGTH = struct.Struct(">I")
HEAD_BYTES_MAX = 4 * 1024 * 1024
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    version: str
    made_at: str
    database: str  # sqlite or postgresql
    server: str  # and its version
    migrations: list[list[str]]
    tables: dict[str, int]  # rows of each
    messages: int
    database_bytes: int
    files: int
    file_bytes: int
    secret_key: str
    salt: str = ""  # encrypted, when there is one
    format: int = FORMAT

    @property
    def encrypted(self) -> bool:
        return bool(self.salt)

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


def head_of(manifest: Manifest) -> bytes:
    text = json.dumps(asdict(manifest), separators=(",", ":")).encode()
    return MAGIC + LENGTH.pack(len(text)) + text


def read_head(source: BinaryIO) -> tuple[Manifest, bytes]:
    """The manifest, and the bytes that it is sealed as. Raises what is a `Refused`."""
    magic = source.read(len(MAGIC))
    if not magic or magic != MAGIC[: len(magic)]:
        raise Foreign(Foreign.__doc__)
    length = source.read(LENGTH.size)
    if len(magic) < len(MAGIC) or len(length) < LENGTH.size:
        raise Truncated(Truncated.__doc__)
    (size,) = LENGTH.unpack(length)
    if size > HEAD_BYTES_MAX:
        raise Foreign(Foreign.__doc__)
    text = source.read(size)
    if len(text) < size:
        raise Truncated(Truncated.__doc__)
    return _parsed(text), magic + length + text


def _parsed(text: bytes) -> Manifest:
    try:
        values = json.loads(text)
        if values["format"] > FORMAT:
            raise DoesNotFit(
                f"This backup was made by version {values.get('version')}, in a format that {settings.VERSION} "
                "does not know: install that version first."
            )
        manifest = Manifest(**{each.name: values[each.name] for each in fields(Manifest)})
        numbers = (manifest.messages, manifest.database_bytes, manifest.files, manifest.file_bytes)
        sound = manifest.moment.tzinfo is not None and all(isinstance(number, int) for number in numbers)
    except (ValueError, TypeError, KeyError):
        sound = False
    if not sound:
        raise Foreign(Foreign.__doc__)
    return manifest


def new_salt() -> str:
    """For a new backup; empty when it is not to be encrypted."""
    return secrets.token_hex(SALT_BYTES) if settings.BACKUP_KEY else ""


def sealing_for(manifest: Manifest, head: bytes) -> Sealing:
    if not manifest.encrypted:
        return Chain(head)
    return Cipher(head, settings.BACKUP_KEY, bytes.fromhex(manifest.salt))


def sealings_of(manifest: Manifest, head: bytes) -> list[Sealing]:
    """Those that may open it: an earlier key still opens what it has sealed."""
    if not manifest.encrypted:
        return [Chain(head)]
    keys = [key for key in (settings.BACKUP_KEY, *settings.BACKUP_KEY_FALLBACKS) if key]
    if not keys:
        raise WrongKey("This backup is encrypted: name its key in BACKUP_KEY.")
    return [Cipher(head, key, bytes.fromhex(manifest.salt)) for key in keys]


def secret_key_mark(key: str) -> str:
    """Tells whether two backups, or a backup and a server, have the same SECRET_KEY. Says nothing about it."""
    return hashlib.sha256(b"tkr-agent-chat backup:" + key.encode()).hexdigest()[:12]


def version_number(version: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", version)[:3])
