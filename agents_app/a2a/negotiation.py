"""Which version of the protocol and which extensions a caller speaks, alike in every binding."""

from __future__ import annotations

from a2a.utils.errors import ExtensionSupportRequiredError, VersionNotSupportedError

from agents_app import registry
from agents_app.a2a.extensions import DECLARED

VERSION = "1.0"
LEGACY_VERSION = "0.3"
LEGACY_EXTENSIONS = "x-a2a-extensions"
OURS = frozenset(extension["uri"] for extension in DECLARED)


def is_legacy(version: str) -> bool:
    """Major and minor count, a patch number does not. No version means 0.3."""
    return _major_minor(version or LEGACY_VERSION) == _major_minor(LEGACY_VERSION)


def require_current(version: str) -> None:
    """Raises `VersionNotSupportedError`."""
    if _major_minor(version or LEGACY_VERSION) != _major_minor(VERSION):
        supported = {"metadata": {"supportedVersions": f"{VERSION}, {LEGACY_VERSION}"}}
        raise VersionNotSupportedError(f"This is A2A {VERSION}: send A2A-Version: {VERSION}.", data=supported)


def require_legacy(version: str) -> None:
    """Raises `VersionNotSupportedError`."""
    if not is_legacy(version):
        raise VersionNotSupportedError(f"This is A2A {LEGACY_VERSION}: send A2A-Version: {LEGACY_VERSION}.")


def require_extensions(agent_id: str, asked: set[str]) -> None:
    """Raises `ExtensionSupportRequiredError`."""
    required = getattr(registry.agents().get(agent_id), "required_extensions", ())
    missing = [uri for uri in required if uri not in asked]
    if missing:
        names = ", ".join(missing)
        raise ExtensionSupportRequiredError(
            f"Send A2A-Extensions: {names}.", data={"metadata": {"requiredExtensions": names}}
        )


def named_extensions(header: str) -> set[str]:
    return {uri.strip() for uri in header.split(",")} - {""} if header else set()


def active_extensions(asked: set[str]) -> dict[str, str]:
    """The header that tells the caller which of them are in use here."""
    active = sorted(asked & OURS)
    return {"a2a-extensions": ", ".join(active)} if active else {}


def _major_minor(version: str) -> list[str]:
    return version.split(".")[:2]
