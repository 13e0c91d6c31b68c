from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.access import find_first_admin
from accounts.actions.sign_in_links import make_sign_in_link
from accounts.models import User


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page and every agent
    help = "Print a link that signs somebody in once, within a day. Earlier links of the same person stop working."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", help="The first administrator, if left out.")

    def handle(self, *, username: str | None, **_: Any) -> str:
        user = User.objects.filter(username=username).first() if username else find_first_admin()
        if user is None:
            raise CommandError(f"There is no user {username!r}." if username else "There is no administrator yet.")
        if not user.is_active:
            raise CommandError(f"{username!r} is switched off: mark the account as active first.")
        return make_sign_in_link(user)
