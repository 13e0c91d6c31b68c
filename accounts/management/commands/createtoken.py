from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from accounts.actions.api_tokens import make_token
from accounts.models import User


class Command(BaseCommand):
    help = "Make an API token for somebody and print it. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("name", help="What it is for.")
        parser.add_argument("--days", type=int, help="How long it works; until it is revoked, if left out.")

    def handle(self, *, username: str, name: str, days: int | None, **_: Any) -> str:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        if days is not None and days < 1:
            raise CommandError("--days is at least 1.")
        _token, text = make_token(user, name, timezone.now() + timedelta(days=days) if days else None)
        return text
