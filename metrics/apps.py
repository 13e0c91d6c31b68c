from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = "Metrics"

    def ready(self) -> None:
        import logging

        from django.conf import settings

        from agents_app import schedules, signals
        from metrics import counting
        from metrics.nightly import PRUNE

        schedules.add(PRUNE)
        if not settings.METRICS:
            return
        signals.runtime_starting.connect(counting.watch_runtime, dispatch_uid="metrics.runtime")
        signals.journal_committed.connect(counting.count_commit, dispatch_uid="metrics.commits")
        signals.call_answered.connect(counting.count_call, dispatch_uid="metrics.calls")
        signals.push_attempted.connect(counting.count_push, dispatch_uid="metrics.pushes")
        logging.getLogger().addHandler(counting.ErrorCounter())
