from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from agents_app.actions.signing_keys import KeyInUse, make_signing_key, revoke_signing_key, rotate_signing_key
from agents_app.models import SigningKey


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page and every agent
    help = "Make, rotate, revoke and list the keys that sign the agents' cards."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        make = what.add_parser("make", help="Make a key; from then on cards are signed.")
        make.add_argument("--rotate", action="store_true", help="Also when there is one, which is retired.")
        what.add_parser("rotate", help="Sign with a new key. What the earlier one has signed still holds.")
        revoke = what.add_parser("revoke", help="Somebody else has the key: what it has signed holds no more.")
        revoke.add_argument("kid", help="The key, as `list` names it.")
        what.add_parser("list", help="Show every key there was.")

    def handle(self, *, what: str, **options: Any) -> str:
        if what == "revoke":
            return _revoke(options["kid"])
        if what == "list":
            return "\n".join(f"{key.kid}  {key.state}" for key in SigningKey.objects.all()) or "There is no key yet."
        return _make(rotate=what == "rotate" or options["rotate"])


def _make(rotate: bool) -> str:
    try:
        key = rotate_signing_key() if rotate else make_signing_key()
    except KeyInUse as refusal:
        raise CommandError(f"{refusal} Type: manage.py a2akey rotate") from None
    return f"{key.kid} signs the cards now."


def _revoke(kid: str) -> str:
    key = SigningKey.objects.trusted().filter(kid=kid).first()
    if key is None:
        raise CommandError(f"There is no key {kid!r} that could be revoked.")
    revoke_signing_key(key)
    signed = SigningKey.objects.in_use().exists()
    return f"{kid} is revoked." + ("" if signed else " Cards are not signed any more: manage.py a2akey make")
