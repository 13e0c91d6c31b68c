"""What probes and collectors ask for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from agents_app.threads import in_thread
from metrics import readiness
from metrics.access import NotAllowed, require_scraper
from metrics.exposition import CONTENT_TYPE, write_metrics


@require_safe
async def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked: who restarts it because the database is away makes it worse."""
    return _uncached(HttpResponse("ok\n", content_type="text/plain; charset=utf-8"))


@require_safe
async def readyz(request: HttpRequest) -> HttpResponse:
    """Whether requests should come here. 503 names the parts that fail, with words anybody may read."""
    parts = await readiness.check()
    ready = all(part.ok for part in parts)
    body = {"ready": ready, "parts": {part.name: "ok" if part.ok else part.what for part in parts}}
    return _uncached(JsonResponse(body, status=200 if ready else 503))


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus."""
    return await in_thread(_metrics, request)


def _metrics(request: HttpRequest) -> HttpResponse:
    try:
        require_scraper(request)
    except NotAllowed as refusal:
        response = HttpResponse(f"{refusal}\n", status=refusal.status, content_type="text/plain; charset=utf-8")
        if refusal.status == 401:
            response["WWW-Authenticate"] = "Bearer"
        return _uncached(response)
    return _uncached(HttpResponse(write_metrics(), content_type=CONTENT_TYPE))
