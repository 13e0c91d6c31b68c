"""Showing a certificate of our own to servers that want one (mutual TLS). A person pastes it with its key."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from tempfile import NamedTemporaryFile

from agents_app.outgoing.client import new_tls_context

BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----\n?", re.DOTALL)


class BadCertificate(ValueError):
    """The text is not a certificate and its private key in PEM form."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    chain: str
    key: str

    @classmethod
    def read(cls, pem: str) -> ClientCertificate:
        """Raises `BadCertificate`, with words for whoever pasted it."""
        blocks = [(found[1], found[0].strip() + "\n") for found in BLOCK.finditer(pem.replace("\r\n", "\n"))]
        chain = "".join(text for kind, text in blocks if kind == "CERTIFICATE")
        keys = [text for kind, text in blocks if kind.endswith("PRIVATE KEY")]
        if not chain or len(keys) != 1:
            raise BadCertificate("Paste the certificate and its private key, both in PEM form, one below the other.")
        if "ENCRYPTED" in keys[0]:
            raise BadCertificate("The private key has a password. Paste it without one; it is kept encrypted here.")
        found = cls(chain, keys[0])
        try:
            found.add_to(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except ssl.SSLError:
            raise BadCertificate(
                "The certificate and the private key cannot be read, or do not belong together."
            ) from None
        return found

    def add_to(self, context: ssl.SSLContext) -> None:
        """Python reads them from files only; this one is ours alone and gone at once."""
        with NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(self.chain + self.key)
            file.flush()
            context.load_cert_chain(file.name, password=_no_password)

    def tls_context(self) -> ssl.SSLContext:
        context = new_tls_context()
        self.add_to(context)
        return context


def _no_password() -> str:
    """Asked for otherwise on the terminal of the server."""
    return ""
