from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import OperationalError

from accounts.actions.users import make_first_admin
from tkr_chat.alone import alone
from tkr_chat.databases import keep_private


class Command(BaseCommand):
    help = (
        "Make ready to serve: database tables, agents, static files, first administrator. Harmless to repeat,"
        " also by several at once."
    )

    def handle(self, **_: Any) -> None:
        try:
            with alone():
                self._prepare()
        except OperationalError as error:
            raise CommandError(f"The database does not answer, look at DATABASE_URL: {error}") from error

    def _prepare(self) -> None:
        call_command("migrate", interactive=False, verbosity=0)  # its last signal registers the agents
        keep_private()
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        if admin := make_first_admin():
            self.stdout.write(f'Made the first administrator, "{admin.username}".')
