from django.urls import path

from chat import certificate, directory, tasks, views

urlpatterns = [
    path("", views.home, name="home"),
    path("new/", views.start, name="start"),
    path("c/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/messages", views.older_messages, name="older_messages"),
    path("c/<uuid:conversation_id>/export.<str:format>", views.export, name="export"),
    path("search", views.search_results, name="search"),
    path("sidebar", views.older_conversations, name="older_conversations"),
    path("files/<uuid:attachment_id>/", views.attachment, name="attachment"),
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/<uuid:task_id>/", tasks.task, name="task"),
    path("agents/", directory.agents, name="agents"),
    path("agents/preview", directory.preview, name="preview_agent"),
    path("agents/add", directory.add, name="add_agent"),
    path("agents/<slug:agent_id>/", directory.agent, name="agent"),
    path("agents/<slug:agent_id>/certificate/", certificate.certificate, name="agent_certificate"),
    path("agents/<slug:agent_id>/remove", directory.remove, name="remove_agent"),
    path("agents/<slug:agent_id>/credentials", directory.credentials, name="agent_credentials"),
    path("agents/<slug:agent_id>/accept", directory.accept, name="accept_agent_card"),
    path("agents/<slug:agent_id>/look", directory.look, name="look_at_agent"),
    path("agents.css", views.agents_css, name="agents_css"),
]
