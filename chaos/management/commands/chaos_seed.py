from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand
from django.db import transaction

from accounts.models import User
from agents_app import runtime
from bench.management.commands.bench_seed import sign_in
from chat.actions.conversations import create_conversation


class Command(BaseCommand):
    help = (
        "Make signed-in people, each with one conversation with an agent; prints [[session key, conversation id], …]."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("people", type=int)
        parser.add_argument("agent")

    def handle(self, *, people: int, agent: str, **_: Any) -> None:
        known = User.objects.count()
        users = [User(username=f"person-{known + number}", password="!") for number in range(people)]
        User.objects.bulk_create(users)
        with transaction.atomic():
            keys = [sign_in(user) for user in users]
        conversations = asyncio.run(_open_rooms(users, agent))
        self.stdout.write(json.dumps(list(zip(keys, conversations, strict=True))))


async def _open_rooms(users: list[User], agent: str) -> list[str]:
    rooms = await asyncio.gather(*(create_conversation(user, [agent]) for user in users))
    await runtime.stop()
    return [str(room.id) for room in rooms]
