"""Frames that cannot be changed, left out, exchanged or cut off without being noticed.

A frame is the length of its body, with the highest bit set in the last frame, and the body: up to a mebibyte of data and a
seal. Without a key the seal is the SHA-256 of the data and everything before it, which finds damage; with one it is
AES-256-GCM with the frame's number as nonce, which finds malice, too. Both begin with what stands before the first frame.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import struct
from collections.abc import Sequence
from typing import Any, BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ops.backups.refusals import Damaged, Truncated, WrongKey

FRAME_BYTES = 1024 * 1024
SEAL_BYTES_MAX = 32
LENGTH = struct.Struct(">I")
LAST = 1 << 31
SALT_BYTES = 16


class Sealing(Protocol):
    def seal(self, data: bytes, last: bool) -> bytes: ...

    def open(self, body: bytes, last: bool) -> bytes:
        """Raises `ValueError`."""
        ...


class Chain:
    """Each seal is a checksum of its frame and of all before it."""

    def __init__(self, head: bytes) -> None:
        self._so_far = hashlib.sha256(head).digest()

    def seal(self, data: bytes, last: bool) -> bytes:
        return data + self._next(data, last)

    def open(self, body: bytes, last: bool) -> bytes:
        data, seal = body[:-32], body[-32:]
        if not hmac.compare_digest(self._next(data, last), seal):
            raise ValueError
        return data

    def _next(self, data: bytes, last: bool) -> bytes:
        digest = hashlib.sha256(self._so_far + bytes([last]))
        digest.update(data)
        self._so_far = digest.digest()
        return self._so_far


class Cipher:
    """A key seals one file alone, for its salt is the file's own: so numbers are good nonces."""

    def __init__(self, head: bytes, key: str, salt: bytes) -> None:
        # 32 MiB and 0.1 s: what people choose as a key may be guessed, but not fast.
        derived = hashlib.scrypt(key.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=64 * 1024 * 1024, dklen=32)
        self._cipher = AESGCM(derived)
        self._head = hashlib.sha256(head).digest()
        self._number = 0

    def seal(self, data: bytes, last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(last), data, self._head)

    def open(self, body: bytes, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(last), body, self._head)
        except InvalidTag:
            self._number -= 1
            raise ValueError from None

    def _nonce(self, last: bool) -> bytes:
        self._number += 1
        return struct.pack(">QI", self._number, last)


class SealedWriter(io.RawIOBase):
    """`close` writes the last frame, and leaves what is below it open."""

    def __init__(self, below: BinaryIO, sealing: Sealing) -> None:
        self._below = below
        self._sealing = sealing
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        self._waiting += view
        while len(self._waiting) > FRAME_BYTES:  # one is kept back: it may be the last
            self._frame(bytes(self._waiting[:FRAME_BYTES]), last=False)
            del self._waiting[:FRAME_BYTES]
        return len(view)

    def finish(self) -> None:
        self._frame(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _frame(self, data: bytes, last: bool) -> None:
        body = self._sealing.seal(data, last)
        self._below.write(LENGTH.pack(len(body) | (LAST if last else 0)) + body)


class SealedReader(io.RawIOBase):
    """Gives only what is proven to be what was written. Of several sealings the one counts that opens the first frame."""

    def __init__(self, below: BinaryIO, sealings: Sequence[Sealing]) -> None:
        self._below = below
        self._sealings = list(sealings)
        self._data = memoryview(b"")
        self._number = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        while not self._data and not self._ended:
            self._data = memoryview(self._next_frame())
        target = memoryview(into).cast("B")
        count = min(len(target), len(self._data))
        target[:count] = self._data[:count]
        self._data = self._data[count:]
        return count

    def _next_frame(self) -> bytes:
        (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
        last, length = bool(length & LAST), length & ~LAST
        if length > FRAME_BYTES + SEAL_BYTES_MAX:
            raise Damaged(f"Frame {self._number + 1} of this backup is damaged. {Damaged.__doc__}")
        data = self._opened(self._exactly(length), last)
        self._number += 1
        self._ended = last
        if last and self._below.read(1):
            raise Damaged(f"Something was appended to this backup. {Damaged.__doc__}")
        return data

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self._below.read(length - len(data))
            if not more:
                raise Truncated(Truncated.__doc__)
            data += more
        return data

    def _opened(self, body: bytes, last: bool) -> bytes:
        for sealing in self._sealings:
            try:
                data = sealing.open(body, last)
            except ValueError:
                continue
            self._sealings = [sealing]
            return data
        if self._number == 0 and isinstance(self._sealings[0], Cipher):
            raise WrongKey(
                "This backup is encrypted with a key that is not here, or its beginning is damaged: "
                "name its key in BACKUP_KEY or BACKUP_KEY_FALLBACKS."
            )
        raise Damaged(f"Frame {self._number + 1} of this backup is damaged. {Damaged.__doc__}")
