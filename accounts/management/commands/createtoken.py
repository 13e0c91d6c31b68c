from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from accounts.actions.api_tokens import make_token
from accounts.models import Scope, User
from accounts.offered import agent_choices


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page and every agent
    help = "Make an API token for somebody and print it. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("name", help="What it is for.")
        parser.add_argument("--days", type=int, help="How long it works; until it is revoked, if left out.")
        scopes = f"What it may do, one of {', '.join(Scope.values)}; may be repeated. Everything, if left out."
        parser.add_argument("--scope", action="append", choices=Scope.values, metavar="SCOPE", help=scopes)
        agents = "The id of an agent it may call over A2A; may be repeated. All of them, if left out."
        parser.add_argument("--agent", action="append", default=[], metavar="ID", help=agents)
        parser.add_argument("--tenant", default="", help="The A2A tenant it belongs to.")

    def handle(self, *, username: str, name: str, days: int | None, **limits: Any) -> str:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        if days is not None and days < 1:
            raise CommandError("--days is at least 1.")
        if unknown := set(limits["agent"]) - {id for id, _ in agent_choices()}:
            raise CommandError(f"There is no agent {', '.join(sorted(unknown))}.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        chosen = {"scopes": limits["scope"], "agents": limits["agent"], "tenant": limits["tenant"]}
        return make_token(user, name, expires_at, **chosen)[1]
