"""Why something is not done. The text of each is fit to show, and says what to do."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was changed."""


class Busy(Refused):
    """Another backup, proof or restore is at work: wait until it is done."""


class NoSuchBackup(Refused):
    pass


class Foreign(Refused):
    """This is no backup of this product."""


class Truncated(Refused):
    """The end of this backup is missing: fetch it again, or take another one."""


class Damaged(Refused):
    """It is not what was written. Fetch it again, or take another one."""


class WrongKey(Refused):
    """Encrypted with a key that is not here."""


class DoesNotFit(Refused):
    """Of another kind of database, or of a newer version."""


class NotProven(Refused):
    """It was restored beside the present data, and is not what its manifest says."""


class InUse(Refused):
    """Somebody is connected to the present database."""


class CannotStore(Refused):
    """The place where backups are kept does not do what it is told."""
