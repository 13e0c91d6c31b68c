from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """A UUID of version 7: sorts by the time it was made."""
    return _uuid7()
