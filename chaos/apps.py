from django.apps import AppConfig


class ChaosConfig(AppConfig):
    name = "chaos"

    def ready(self) -> None:
        from agents_app import signals
        from chaos.death import die_behind_commit

        signals.events_committing.connect(die_behind_commit)
