from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DatabaseError, connection

from accounts.actions.users import make_first_admin
from tkr_chat.alone import alone
from tkr_chat.databases import keep_private
from tkr_chat.prepared import require_known_database


class Command(BaseCommand):
    help = (
        "Make ready to serve: database tables, agents, static files, first administrator. Harmless to repeat,"
        " also by several at once."
    )

    def handle(self, **_: Any) -> None:
        answered = False
        try:
            with alone():
                connection.ensure_connection()
                answered = True
                self._prepare()
        except DatabaseError as error:
            what = "could not be made ready" if answered else "does not answer, look at DATABASE_URL"
            raise CommandError(f"The database {what}: {error}") from error

    def _prepare(self) -> None:
        require_known_database()
        call_command("migrate", interactive=False, verbosity=0)  # its last signal registers the agents
        keep_private()
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        if admin := make_first_admin():
            self.stdout.write(f'Made the first administrator, "{admin.username}".')
