from __future__ import annotations

from argparse import ArgumentParser

from ops.actions.retention import RULES, Rule, prune
from ops.command import OperatorCommand, Report


class Command(OperatorCommand):
    help = (
        "Delete what is old and not needed any more, in small batches, while the server serves. Every night by itself."
    )
    examples = ("--dry-run", "", "wire notifications --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        kinds = "; ".join(f"{rule.name}: {rule.what}{_for(rule)}" for rule in RULES)
        parser.add_argument("what", nargs="*", metavar="WHAT", help=f"All, if left out. {kinds}.")
        parser.add_argument("--dry-run", action="store_true", help="Only count what would be deleted.")

    def work(self, *, what: list[str], dry_run: bool) -> Report:
        rules = {rule.name: rule for rule in RULES}
        if unknown := set(what) - rules.keys():
            self.refuse_usage(f"There is no {', '.join(sorted(unknown))}: choose from {', '.join(rules)}.")
        chosen = [rule for rule in RULES if not what or rule.name in what]
        return {"dry_run": dry_run, "pruned": {rule.name: self._prune(rule, dry_run) for rule in chosen}}

    def lines(self, report: Report) -> list[str]:
        done = "Would delete" if report["dry_run"] else "Deleted"
        words = {rule.name: rule.what for rule in RULES}
        return [f"{done} {count:,} {words[name]}." for name, count in report["pruned"].items()]

    def _prune(self, rule: Rule, dry_run: bool) -> int:
        return prune(rule, lambda count: self.count(rule.what, count), dry_run=dry_run)


def _for(rule: Rule) -> str:
    return f" ({rule.setting}, {rule.days})" if rule.setting else ""
