from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from accounts.access import find_first_admin
from agents_app.a2a.client.preview import preview_remote_agent
from agents_app.actions.remote_agents import add_remote_agent


class Command(BaseCommand):
    help = "Add the agent behind an address, as an administrator does on the page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url")
        parser.add_argument("agent", help="Its id here.")

    def handle(self, *, url: str, agent: str, **_: Any) -> None:
        admin = find_first_admin()
        assert admin is not None  # `prepare` makes one
        add_remote_agent(admin, asyncio.run(preview_remote_agent(url)), {}, agent)
