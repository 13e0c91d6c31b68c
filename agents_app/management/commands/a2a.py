from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from typing import Any

from a2a.types import a2a_pb2 as wire
from django.core.management import BaseCommand, CommandError, CommandParser

from agents_app.a2a import command_line as line
from agents_app.a2a.certificate.examination import examine
from agents_app.a2a.certificate.findings import Level
from agents_app.a2a.certificate.findings import as_json as findings_as_json
from agents_app.a2a.certificate.targets import target_at
from agents_app.a2a.client.card_file import BINDINGS, find_card
from agents_app.a2a.client.errors import NoCredentials, RemoteError, readable_errors
from agents_app.a2a.terminal_stream import StreamOnTerminal
from agents_app.management.terminal import EXIT_CODES, WAITS
from agents_app.models import TaskState

ADDRESS = "Where the agent is: the address of its card, or the one the card stands under."
WHAT = {
    "card": "Show its card.",
    "send": "Say something and wait for the outcome.",
    "stream": "Say something and show what comes while it comes.",
    "get": "Show a task.",
    "list": "Show the tasks you have there, last changed first.",
    "cancel": "Stop a task.",
    "subscribe": "Show what comes of a task that runs.",
    "certify": "Really call it in every way, and say what it does right and wrong.",
}


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page and every agent
    help = (
        "Call any A2A agent. Exit code of send, stream and subscribe: 0 completed, 1 failed, 2 declined, 3 stopped, "
        "4 it is not over; of certify: 1 something is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="what", required=True, metavar="|".join(WHAT))
        for what, help in WHAT.items():
            action = actions.add_parser(what, help=help, description=help)
            action.add_argument("url", help=ADDRESS)
            _add_own(action, what)
            if what != "card":
                action.add_argument("--token", default="", help="Who you are: sent as a bearer token.")
                action.add_argument("--binding", default="", type=str.upper, choices=BINDINGS, help="How to call it.")
            action.add_argument("--json", action="store_true", help="As JSON, as it was on the wire.")
            action.add_argument("--timeout", type=float, default=300, help="How long to wait for a word, in seconds.")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        try:
            with line.this_machine_allowed():
                code = asyncio.run(getattr(self, f"_{what}")(options))
        except NoCredentials:
            raise CommandError("It does not accept you. Say who you are with --token.") from None
        except RemoteError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped listening. The task goes on.", returncode=130) from None
        if code:
            sys.exit(code)

    async def _card(self, options: dict[str, Any]) -> None:
        found = await find_card(options["url"])
        if options["json"]:
            self.stdout.write(json.dumps(found.card, ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(await line.card_lines(found)))

    async def _send(self, options: dict[str, Any]) -> int:
        return await self._say(options, streaming=False)

    async def _stream(self, options: dict[str, Any]) -> int:
        return await self._say(options, streaming=True)

    async def _say(self, options: dict[str, Any], *, streaming: bool) -> int:
        text = (sys.stdin.read() if options["text"] is None else options["text"]).strip()
        if not text:
            raise CommandError("Say something to send.")
        request = line.message_request(text, options["context"], options["task"])
        async with self._connection(options, streaming=streaming) as there:
            with readable_errors(there.card.name):
                return await self._follow(there.client.send_message(request, context=there.context), options)

    async def _certify(self, options: dict[str, Any]) -> int:
        """Takes four short answers of the agent."""
        findings = await examine(await target_at(options["url"], options["token"], options["binding"]))
        if options["json"]:
            self.stdout.write(json.dumps(findings_as_json(findings), ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(f"{each.level:<5}  {each.title}: {each.text}" for each in findings))
        return int(any(each.level == Level.RED for each in findings))

    async def _subscribe(self, options: dict[str, Any]) -> int:
        request = wire.SubscribeToTaskRequest(id=options["task"])
        async with self._connection(options) as there:
            with readable_errors(there.card.name):
                return await self._follow(there.client.subscribe(request, context=there.context), options)

    async def _follow(self, events: Any, options: dict[str, Any]) -> int:
        shown = StreamOnTerminal(self.stdout, self.stderr)
        async for event in events:
            if options["json"]:
                self.stdout.write(line.as_json(event, one_line=True))
            shown.note(event, silent=options["json"])
        shown.end(silent=options["json"])
        return EXIT_CODES.get(shown.state, WAITS)

    async def _get(self, options: dict[str, Any]) -> None:
        async with self._connection(options) as there:
            with readable_errors(there.card.name):
                request = wire.GetTaskRequest(id=options["task"])
                self._tell(await there.client.get_task(request, context=there.context), options)

    async def _cancel(self, options: dict[str, Any]) -> None:
        async with self._connection(options) as there:
            with readable_errors(there.card.name):
                request = wire.CancelTaskRequest(id=options["task"])
                self._tell(await there.client.cancel_task(request, context=there.context), options)

    async def _list(self, options: dict[str, Any]) -> None:
        request = wire.ListTasksRequest(context_id=options["context"], page_size=options["limit"], history_length=1)
        if options["state"]:
            request.status = line.state_number(options["state"])  # type: ignore[assignment]
        async with self._connection(options) as there:
            with readable_errors(there.card.name):
                found = await there.client.list_tasks(request, context=there.context)
        if options["json"]:
            self.stdout.write(line.as_json(found))
            return
        for task in found.tasks:
            self.stdout.write(line.list_line(task))
        if found.total_size > len(found.tasks):
            self.stderr.write(f"{len(found.tasks)} of {found.total_size}.")

    def _tell(self, task: wire.Task, options: dict[str, Any]) -> None:
        self.stdout.write(line.as_json(task) if options["json"] else "\n".join(line.task_lines(task)))

    def _connection(self, options: dict[str, Any], *, streaming: bool = True) -> Any:
        names = {"token": options["token"], "binding": options["binding"], "seconds": options["timeout"]}
        return line.connect(options["url"], **names, streaming=streaming)


def _add_own(action: ArgumentParser, what: str) -> None:
    """What only some of them take."""
    if what in ("send", "stream"):
        action.add_argument("text", nargs="?", help="What to say; left out: the standard input.")
        action.add_argument("--task", default="", help="The task that waits for it.")
    if what in ("get", "cancel", "subscribe"):
        action.add_argument("task", help="Its id.")
    if what in ("send", "stream", "list"):
        action.add_argument("--context", default="", help="The conversation it belongs to.")
    if what == "list":
        action.add_argument("--state", default="", choices=TaskState.values, metavar="STATE", help="Only these.")
        action.add_argument("--limit", type=int, default=20, help="How many, at most 100.")
