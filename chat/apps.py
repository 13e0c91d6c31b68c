from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out

        from agents_app.signals import events_committing
        from chat.broadcast import close_sockets_of_session
        from chat.projection import project_events

        events_committing.connect(project_events, dispatch_uid="chat.projection")
        user_logged_out.connect(close_sockets_of_session, dispatch_uid="chat.sign_out")
