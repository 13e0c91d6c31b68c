from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import CommandError
from django.core.management.templates import TemplateCommand

from agents_app import registry

TEMPLATE = Path(__file__).resolve().parents[2] / "agent_template"


class Command(TemplateCommand):
    help = "Make a new agent in agents_local/: a prompt, one example tool and tests. It answers after the next start."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help='What people type after "@", such as "travel_guide".')
        parser.add_argument("--folder", type=Path, default=settings.LOCAL_AGENTS_DIR, help="Where local agents live.")

    def handle(self, *, name: str, folder: Path, **options: Any) -> None:  # type: ignore[override]
        app_name = re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
        self._check_free(app_name)
        target = folder / app_name
        if target.exists():
            raise CommandError(f"{target} exists already: choose another name.")
        target.mkdir(parents=True)
        (folder / "__init__.py").touch()
        super().handle(
            "app",
            app_name,
            str(target),
            template=str(TEMPLATE),
            extensions=["py", "md"],
            files=[],
            exclude=[],
            agent_name=app_name.replace("_", " ").title(),
            **{option: options[option] for option in ("verbosity",)},
        )
        self.stdout.write(
            f"Made {target}. Start the server again and write: @{app_name} roll the dice\n"
            f"Who it is stands in prompt.md, what it can do in tools.py. Test it: pytest {target}"
        )

    def _check_free(self, app_name: str) -> None:
        if not app_name.isidentifier():
            raise CommandError(f'"{app_name}" cannot be a name: begin with a letter, such as "travel_guide".')
        if app_name in registry.agents() or apps.is_installed(app_name) or app_name in apps.app_configs:
            raise CommandError(f'"{app_name}" is taken already: choose another name.')
