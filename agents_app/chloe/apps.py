from django.apps import AppConfig


class ChloeConfig(AppConfig):
    name = "agents_app.chloe"
    label = "chloe"
