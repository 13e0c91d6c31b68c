"""AWS Signature Version 4, which every storage that speaks S3 understands."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
SAFE = "-_.~"


@dataclass(frozen=True, slots=True)
class Signer:
    access_key: str
    secret_key: str
    region: str

    def headers(self, method: str, url: str, query: dict[str, str], body: bytes, now: datetime) -> dict[str, str]:
        """What the request has to carry. `url` is without a query, and quoted already."""
        stamp, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
        digest = hashlib.sha256(body).hexdigest()
        signed = {"host": urlsplit(url).netloc, "x-amz-content-sha256": digest, "x-amz-date": stamp}
        names = ";".join(sorted(signed))
        request = "\n".join(
            [
                method,
                urlsplit(url).path or "/",
                canonical_query(query),
                *(f"{name}:{signed[name]}" for name in sorted(signed)),
                "",
                names,
                digest,
            ]
        )
        scope = f"{day}/{self.region}/s3/aws4_request"
        to_sign = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
        signature = hmac.new(self._key(day), to_sign.encode(), hashlib.sha256).hexdigest()
        proof = f"{ALGORITHM} Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return signed | {"authorization": proof}

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret_key}".encode()
        for word in (day, self.region, "s3", "aws4_request"):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        return key


def canonical_query(query: dict[str, str]) -> str:
    return "&".join(f"{quote(name, safe=SAFE)}={quote(value, safe=SAFE)}" for name, value in sorted(query.items()))


def quoted_path(path: str) -> str:
    return quote(path, safe="/" + SAFE)
