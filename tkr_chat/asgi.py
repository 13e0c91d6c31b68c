"""The front door: HTTP goes to A2A or Django, WebSockets to `sockets.py`, and the agents live as long as the server does."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tkr_chat.settings")
django_application = get_asgi_application()  # sets Django up; what follows may import models

from agents_app.a2a.application import Edge  # noqa: E402
from chat.consumers import BrowserConsumer  # noqa: E402
from metrics.http import counted  # noqa: E402
from tkr_chat.body_limit import BodyLimit  # noqa: E402
from tkr_chat.front import Front  # noqa: E402
from tkr_chat.lifespan import lifespan  # noqa: E402
from tkr_chat.sockets import sockets  # noqa: E402

routes = ProtocolTypeRouter(
    {
        "http": Edge(BodyLimit(django_application)),
        "websocket": sockets(BrowserConsumer.as_asgi()),
        "lifespan": lifespan,
    }
)
application = counted(Front(routes))
