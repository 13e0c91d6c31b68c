from django.contrib import admin
from django.urls import include, path

from chat import documentation
from chat.api import api
from chat.api.errors import not_found
from metrics.api import routers as measured
from ops.agents_api import router as agents
from ops.api import router as operations

for router in (*measured, operations, agents):  # before the addresses of the API are made, at `include` below
    api.add_router("/admin", router, tags=["Administration"])

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("chat.urls")),
    path("", include("metrics.urls")),
    path("api/v1/", include("chat.api.urls")),
    path("api/<path:anything>", not_found),
    path("docs", documentation.index, name="docs"),
    path("docs/api", documentation.api_reference, name="api_reference"),
    path("docs/<str:name>", documentation.document, name="document"),
    path("admin/", admin.site.urls),
]
