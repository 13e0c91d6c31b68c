from django.urls import path

from chat import tasks, views

urlpatterns = [
    path("", views.home, name="home"),
    path("new/", views.start, name="start"),
    path("c/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/messages", views.older_messages, name="older_messages"),
    path("sidebar", views.older_conversations, name="older_conversations"),
    path("files/<uuid:attachment_id>/", views.attachment, name="attachment"),
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/<uuid:task_id>/", tasks.task, name="task"),
    path("agents.css", views.agents_css, name="agents_css"),
]
