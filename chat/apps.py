from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from accounts.signals import session_ended
        from agents_app.signals import events_committing, remote_agent_changed
        from chat.broadcast import close_sockets_of_session, tell_agent_changed
        from chat.projection import project_events
        from chat.search.tables import keep_search_tables

        events_committing.connect(project_events, dispatch_uid="chat.projection")
        remote_agent_changed.connect(tell_agent_changed, dispatch_uid="chat.agent_changed")
        session_ended.connect(close_sockets_of_session, dispatch_uid="chat.session_ended")
        post_migrate.connect(keep_search_tables, sender=self)
