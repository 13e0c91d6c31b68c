from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        from django.conf import settings

        from agents_app.signals import runtime_starting
        from ops.control.obeying import start_obeying
        from ops.nightly import add_schedules
        from ops.readings import add_readings

        runtime_starting.connect(start_obeying, dispatch_uid="ops.control")
        add_schedules(settings.BACKUP_AT)
        add_readings()
