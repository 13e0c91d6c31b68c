"""The pages under /docs: the project's own documents and the API reference. They say nothing that is secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from chat.api import DESCRIPTION
from chat.api.reference import list_shapes, read_reference
from chat.markdown import to_html

MARKS = re.compile(r"[`*]")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    title: str
    summary: str
    text: str


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "chat/docs.html", {"documents": list_documents()})


@require_safe
def api_reference(request: HttpRequest) -> HttpResponse:
    shown = {"introduction": _to_html(DESCRIPTION), "groups": read_reference(), "shapes": list_shapes()}
    return render(request, "chat/docs_api.html", shown)


@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    if name.endswith(".md"):  # as the documents name each other
        return redirect("document", name.removesuffix(".md"), permanent=True)
    found = next((document for document in list_documents() if document.name == name), None)
    if found is None:
        raise Http404("There is no such document.")
    return render(request, "chat/docs_document.html", {"document": found, "html": _to_html(found.text)})


def list_documents() -> list[Document]:
    return [_read(file) for file in sorted(settings.BASE_DIR.glob("docs/*.md"))]


def _read(file: Path) -> Document:
    """Its first heading is its title, the first sentence after it says what it is about."""
    text = file.read_text(encoding="utf-8")
    blocks = [" ".join(block.split()) for block in text.split("\n\n") if block.strip()]
    headed = bool(blocks) and blocks[0].startswith("# ")
    title = blocks[0].removeprefix("# ") if headed else file.stem.replace("-", " ").capitalize()
    plain = [MARKS.sub("", LINK.sub(r"\1", block)) for block in blocks[headed:] if not block.startswith("```")]
    summary = re.split(r"(?<=[.!?])\s", plain[0], maxsplit=1)[0] if plain else ""
    return Document(file.stem, title, summary, text)


def _to_html(text: str) -> str:
    """In a chat every line break means something; documents are wrapped by hand."""
    return to_html(text).replace("<br>", "")
