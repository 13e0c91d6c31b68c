from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime


class OpsConfig(AppConfig):
    name = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        from django.conf import settings

        from agents_app.signals import runtime_starting
        from ops.nightly import add_schedules
        from ops.readings import add_readings

        runtime_starting.connect(_start_obeying, dispatch_uid="ops.control")
        add_schedules(settings.BACKUP_AT)
        add_readings()


def _start_obeying(runtime: Runtime, **_: Any) -> None:
    """Loaded here, because most commands obey nobody."""
    from ops.control.obeying import start_obeying

    start_obeying(runtime)
