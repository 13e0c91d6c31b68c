"""The few calls of S3 that a backup needs, each tried again when the network or the storage stumbles."""

from __future__ import annotations

import time

# Of the operator's own storage; and expat has limits.
import xml.etree.ElementTree as ET  # nosec B405
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx

from ops.backups.refusals import CannotStore, NoSuchBackup
from ops.backups.stores.s3_signing import Signer, canonical_query, quoted_path

TRIES = 4
WAIT_SECONDS = 0.5  # before the second try, and twice as long before each further one
TIMEOUT_SECONDS = 60
CHUNK_BYTES = 1024 * 1024


class Bucket:
    def __init__(self, url: str, signer: Signer) -> None:
        self.url = url  # of the bucket
        self._signer = signer
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        self._client.close()

    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of each object, by key."""
        found: dict[str, int] = {}
        more = ""
        while True:
            query = {"list-type": "2", "prefix": prefix} | ({"continuation-token": more} if more else {})
            page = _xml(self._call("GET", "", query))
            for item in page.iter("Contents"):
                found[item.findtext("Key", "")] = int(item.findtext("Size", "0"))
            more = page.findtext("NextContinuationToken", "")
            if not more:
                return found

    def put(self, key: str, body: bytes) -> None:
        self._call("PUT", key, {}, body)

    def delete(self, key: str) -> None:
        self._call("DELETE", key, {})

    def begin_parts(self, key: str) -> str:
        return _xml(self._call("POST", key, {"uploads": ""})).findtext("UploadId", "")

    def put_part(self, key: str, upload: str, number: int, body: bytes) -> str:
        answer = self._call("PUT", key, {"partNumber": str(number), "uploadId": upload}, body)
        return answer.headers.get("etag", "")

    def finish_parts(self, key: str, upload: str, tags: list[str]) -> None:
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>" for number, tag in enumerate(tags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = _xml(self._call("POST", key, {"uploadId": upload}, body))
        if answer.tag == "Error":  # S3 answers 200 before it knows
            raise CannotStore(f"{self.url} did not put the parts together: {answer.findtext('Message', 'no reason')}")

    def drop_parts(self, key: str, upload: str) -> None:
        self._call("DELETE", key, {"uploadId": upload})

    def chunks(self, key: str, start: int) -> Iterator[bytes]:
        """The object from a byte on. Raises what `httpx` does when the connection breaks."""
        url = f"{self.url}/{quoted_path(key)}"
        headers = self._signer.headers("GET", url, {}, b"", datetime.now(UTC)) | {"range": f"bytes={start}-"}
        with self._client.stream("GET", url, headers=headers) as answer:
            if answer.status_code == 404:
                raise NoSuchBackup(f"{self.url} has no {key}.")
            if answer.status_code == 416:  # exactly at its end
                return
            if answer.status_code >= 500:
                raise httpx.ReadError(f"it answers {answer.status_code}")
            if answer.status_code not in (200, 206) or (start and answer.status_code == 200):
                answer.read()
                raise _refusal(self.url, answer)
            yield from answer.iter_raw(CHUNK_BYTES)

    def _call(self, method: str, key: str, query: dict[str, str], body: bytes = b"") -> httpx.Response:
        url = f"{self.url}/{quoted_path(key)}" if key else self.url
        address = f"{url}?{canonical_query(query)}" if query else url
        for left in reversed(range(TRIES)):
            headers = self._signer.headers(method, url, query, body, datetime.now(UTC))
            try:
                answer = self._client.request(method, address, headers=headers, content=body)
            except httpx.HTTPError as error:
                if not left:
                    raise CannotStore(f"{self.url} cannot be reached: {error}") from None
            else:
                if answer.status_code < 500 or not left:
                    break
            time.sleep(WAIT_SECONDS * 2 ** (TRIES - 1 - left))
        if answer.status_code >= 300:
            raise _refusal(self.url, answer)
        return answer


def _refusal(url: str, answer: httpx.Response) -> CannotStore:
    found = _xml(answer)
    why = found.findtext("Message", "") or found.findtext("Code", "") or answer.reason_phrase
    return CannotStore(
        f"{url} answers {answer.status_code} ({why}): look at BACKUP_S3_URL, BACKUP_S3_REGION, BACKUP_S3_ACCESS_KEY and "
        "BACKUP_S3_SECRET_KEY."
    )


def _xml(answer: httpx.Response) -> ET.Element:
    """Without namespaces, which not every storage sets. What is no XML becomes an empty element."""
    try:
        root = ET.fromstring(answer.content)  # noqa: S314  # nosec B314
    except ET.ParseError:
        return ET.Element("none")
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    return root
