from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from agents_app.signals import events_committing
        from chat.projection import project_messages

        events_committing.connect(project_messages, dispatch_uid="chat.projection")
