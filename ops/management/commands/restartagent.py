from __future__ import annotations

from argparse import ArgumentParser
from uuid import UUID

from agents_app.actions.restarts import NoSuchRun, restart_agent
from agents_app.models import Agent
from ops.backups.refusals import Refused
from ops.command import OperatorCommand, Report


class Command(OperatorCommand):
    help = "Restart what seems to hang of an agent: each task begins anew from its last finished step, within seconds."
    examples = ("chloe", "chloe --task 0197f2…", "chloe --everything --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("agent", help="Its id, as people type it after @.")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--task", type=UUID, help="Only this one, however lively.")
        which.add_argument("--everything", action="store_true", help="Also what does not seem to hang.")

    def work(self, agent: str, task: UUID | None, everything: bool) -> Report:
        found = Agent.objects.filter(pk=agent.removeprefix("@")).first()
        if found is None:
            raise Refused(f"There is no agent {agent!r}.")
        try:
            restarted = restart_agent(found, task, everything=everything)
        except NoSuchRun as gone:
            raise Refused(str(gone)) from None
        return {"agent": found.pk, "restarted": [str(one.pk) for one in restarted]}

    def lines(self, report: Report) -> list[str]:
        restarted = [f"Restarted task {task}." for task in report["restarted"]]
        return restarted or [f"Nothing of {report['agent']} is to be restarted."]
