from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import BaseCommand
from django.db import transaction

from accounts.models import User
from agents_app import runtime
from bench.agents import Metronome
from chat.actions.conversations import create_conversation


class Command(BaseCommand):
    help = "Make signed-in people, each with one conversation; prints [[session key, conversation id], …]."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("people", type=int)

    def handle(self, *, people: int, **_: Any) -> None:
        users = [User(username=f"person-{number}", password="!") for number in range(people)]
        User.objects.bulk_create(users)
        with transaction.atomic():
            keys = [sign_in(user) for user in users]
        conversations = asyncio.run(_open_rooms(users))
        self.stdout.write(json.dumps(list(zip(keys, conversations, strict=True))))


def sign_in(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


async def _open_rooms(users: list[User]) -> list[str]:
    rooms = await asyncio.gather(*(create_conversation(user, [Metronome.id]) for user in users))
    await runtime.stop()
    return [str(room.id) for room in rooms]
