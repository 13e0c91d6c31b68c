from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

# `import … from "./x.js"`, `export … from`, `import "./x.js"` and `import("./x.js")`. Django's own pattern, which
# `support_js_module_import_aggregation` switches on, finds only those with a semicolon behind them.
BEFORE = r"""^(?:import|export)\b[^'";]*?\bfrom\s*|^import\s*|\bimport\s*\(\s*"""
MODULE_IMPORT = (
    rf"""(?m)(?P<matched>(?P<before>{BEFORE})["'](?P<url>\.{{1,2}}/[^'"]+)["'])""",
    """%(before)s"%(url)s\"""",
)


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Names carry a hash of the content, also where one ES module imports another."""

    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("*.js", (MODULE_IMPORT,)))
    max_post_process_passes = 10  # how deep modules may import each other


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise for ASGI: its own middleware is synchronous and would send every request through a thread."""

    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        return self.__acall__(request) if iscoroutinefunction(self) else super().__call__(request)

    async def __acall__(self, request: HttpRequest) -> HttpResponse:
        answer = super().__call__(request)
        return answer if isinstance(answer, HttpResponse) else await answer

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """The whole file at once: the files are small, and Django would read a lazy one in a thread."""
        found = static_file.get_response(request.method, request.META)
        response = HttpResponse(_content(found.file), status=int(found.status))
        del response["content-type"]
        for name, value in found.headers:
            response[name] = value
        return response


def _content(file: Any) -> bytes:
    if file is None:
        return b""
    with file:
        return file.read()
