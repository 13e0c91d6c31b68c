from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from accounts.signals import session_ended
        from agents_app.signals import events_committing, remote_agent_changed
        from chat.broadcast import close_sockets_of_session, tell_agent_changed
        from chat.projection import project_events

        events_committing.connect(project_events, dispatch_uid="chat.projection")
        remote_agent_changed.connect(tell_agent_changed, dispatch_uid="chat.agent_changed")
        session_ended.connect(close_sockets_of_session, dispatch_uid="chat.session_ended")
