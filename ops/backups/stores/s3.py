from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from ops.backups.refusals import CannotStore
from ops.backups.stores.s3_bucket import TRIES, WAIT_SECONDS, Bucket
from ops.backups.stores.s3_signing import Signer

logger = logging.getLogger(__name__)

PART_BYTES = 16 * 1024 * 1024  # of at most 10,000 parts: 156 GiB


class S3Store:
    """A bucket, or a folder of one."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self.where = f"{bucket.url}/{prefix}"

    @classmethod
    def of_settings(cls) -> S3Store:
        parts = urlsplit(settings.BACKUP_S3_URL)
        bucket, _, prefix = parts.path.strip("/").partition("/")
        if not bucket:
            raise CannotStore(
                "BACKUP_S3_URL names no bucket: write it behind the host, such as https://s3.example.com/bucket/folder"
            )
        signer = Signer(settings.BACKUP_S3_ACCESS_KEY, settings.BACKUP_S3_SECRET_KEY, settings.BACKUP_S3_REGION)
        return cls(Bucket(f"{parts.scheme}://{parts.netloc}/{bucket}", signer), f"{prefix}/" if prefix else "")

    def sizes(self) -> dict[str, int]:
        found = {key.removeprefix(self._prefix): size for key, size in self._bucket.sizes(self._prefix).items()}
        return {name: size for name, size in found.items() if "/" not in name}

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        with closing(_Download(self._bucket, self._prefix + name)) as source:
            yield cast("BinaryIO", source)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        upload = _Upload(self._bucket, self._prefix + name)
        try:
            yield cast("BinaryIO", upload)
            upload.finish()
        except BaseException:
            upload.drop()
            raise

    def delete(self, name: str) -> None:
        self._bucket.delete(self._prefix + name)


class _Upload(io.RawIOBase):
    """Sent in parts; the object is there when the last one was accepted."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._waiting = bytearray()
        self._id = ""
        self._tags: list[str] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._waiting += data
        self._size += len(data)
        while len(self._waiting) >= PART_BYTES:
            self._send(bytes(self._waiting[:PART_BYTES]))
            del self._waiting[:PART_BYTES]
        return len(data)

    def tell(self) -> int:
        return self._size

    def finish(self) -> None:
        if not self._id:
            self._bucket.put(self._key, bytes(self._waiting))
            return
        if self._waiting:
            self._send(bytes(self._waiting))
        self._bucket.finish_parts(self._key, self._id, self._tags)

    def drop(self) -> None:
        """What was sent costs money until it is dropped."""
        if self._id:
            try:
                self._bucket.drop_parts(self._key, self._id)
            except CannotStore:
                logger.warning("Parts of %s are left in the storage.", self._key, extra={"action": "backup.parts_left"})

    def _send(self, body: bytes) -> None:
        if not self._id:
            self._id = self._bucket.begin_parts(self._key)
        self._tags.append(self._bucket.put_part(self._key, self._id, len(self._tags) + 1, body))


class _Download(io.RawIOBase):
    """Read once, from the front; a broken connection is taken up again where it broke."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._chunks = self._read_on()
        self._data = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = bytearray()
        while size < 0 or len(data) < size:
            if not self._data:
                self._data = memoryview(next(self._chunks, b""))
                if not self._data:
                    break
            take = len(self._data) if size < 0 else size - len(data)
            data += self._data[:take]
            self._data = self._data[take:]
        return bytes(data)

    def close(self) -> None:
        self._chunks.close()
        super().close()

    def _read_on(self) -> Any:
        position, failures = 0, 0
        while True:
            try:
                for chunk in self._bucket.chunks(self._key, position):
                    position, failures = position + len(chunk), 0
                    yield chunk
                return
            except httpx.HTTPError as error:
                failures += 1
                if failures == TRIES:
                    raise CannotStore(f"{self._bucket.url} cannot be read: {error}") from None
                time.sleep(WAIT_SECONDS * 2**failures)
