from django.apps import AppConfig


class PhilConnorsConfig(AppConfig):
    name = "agents_app.phil_connors"
    label = "phil_connors"
