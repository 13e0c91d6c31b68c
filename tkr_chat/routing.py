from django.urls import path

from chat.consumers import BrowserConsumer

websocket_urlpatterns = [path("ws", BrowserConsumer.as_asgi())]
