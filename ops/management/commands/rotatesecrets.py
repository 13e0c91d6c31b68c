from __future__ import annotations

from argparse import ArgumentParser

from django.conf import settings

from accounts.actions.audit import note
from ops.command import OperatorCommand, Report
from ops.secret_key_file import NotInFile, forget_former_keys, make_new_key
from ops.secrets import rotate_secrets


class Command(OperatorCommand):
    help = (
        "Encrypt every secret in the database with the present SECRET_KEY. To change the key: put the new one into "
        "SECRET_KEY and the former into SECRET_KEY_FALLBACKS, start the server again, run this, and take the former away. "
        "A key that the server made itself (DATA_DIR/secret-key) is changed by --new-key, and the former taken away by "
        "--forget."
    )
    examples = ("", "--new-key", "--forget")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--new-key", action="store_true", help="Make a new key in DATA_DIR; the former still reads.")
        what.add_argument("--forget", action="store_true", help="Then take the former keys in DATA_DIR away.")

    def work(self, *, new_key: bool, forget: bool) -> Report:
        if new_key:
            make_new_key(settings.DATA_DIR, settings.SECRET_KEY)
            note("secrets.key_made")
            return {"new_key": True, "encrypted_anew": 0, "unreadable": 0, "forgot": False}
        rotation = rotate_secrets()
        if forget:
            if rotation.unreadable:
                raise NotInFile(f"{rotation.unreadable} secrets cannot be read by any key: no key was taken away.")
            forget_former_keys(settings.DATA_DIR)
        note("secrets.rotated", encrypted_anew=rotation.encrypted_anew, unreadable=rotation.unreadable)
        counts = {"encrypted_anew": rotation.encrypted_anew, "unreadable": rotation.unreadable}
        return {"new_key": False, "forgot": forget, **counts}

    def is_well(self, report: Report) -> bool:
        return not report["unreadable"]

    def lines(self, report: Report) -> list[str]:
        if report["new_key"]:
            return ["There is a new key. Start the server again, then type: manage.py rotatesecrets --forget"]
        lines = [f"{report['encrypted_anew']} secrets are encrypted with the present key."]
        if report["unreadable"]:
            lines.append(
                f"{report['unreadable']} cannot be read by any key here: enter them again, or name their key in "
                "SECRET_KEY_FALLBACKS."
            )
        return [*lines, "The former keys are gone."] if report["forgot"] else lines
