"""What people, agents, tools, files and cards say is shown, and never run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import Server, send
from .hostile import CORPUS
from .test_chat_page import answers

pytestmark = pytest.mark.browser

# What no text may become. Our own pages have none of these inside what is shown.
FORBIDDEN = """
  () => [...document.querySelectorAll("*")].flatMap((element) => {
    const found = [...element.attributes].filter(({ name, value }) =>
      name.startsWith("on") || /^\\s*(javascript|vbscript|data:text)/i.test(value.replace(/[\\t\\n]/g, "")))
    return found.map(({ name, value }) => `${element.tagName} ${name}=${value}`)
  }).concat([...document.querySelectorAll(
    "article :is(script, iframe, object, embed, form, style, base, meta, link)"
  )].map((element) => element.outerHTML))
"""
SEED = """
import json, sys
from accounts.models import User
from accounts.actions.api_tokens import make_token
from agents_app.models import Agent
texts = json.loads({texts!r})
admin = User.objects.get(username="admin")
admin.display_name = texts[0][:100]
admin.save()
for number, text in enumerate(texts):
    make_token(admin, text[:100])
    skill = {{"id": text, "name": text, "description": text, "tags": [text], "examples": [text]}}
    Agent.objects.update_or_create(id=f"hostile-{{number}}", defaults=dict(
        name=text[:60], description=text, colour="#5b6b7f", avatar="<b", position=90 + number, skills=[skill],
        input_modes=[text], output_modes=[text], present=True, enabled=True))
"""
CLEAN = """
from accounts.models import ApiToken, User
from agents_app.models import Agent
Agent.objects.filter(id__startswith="hostile-").delete()
ApiToken.objects.all().delete()
User.objects.update(display_name="")
"""


@pytest.fixture
def watched(context: BrowserContext) -> list[str]:
    """Whatever ran. Reports of the content policy come as console errors, which fail every test here."""
    ran: list[str] = []
    context.expose_function("hit", lambda *_: ran.append("hit"))
    context.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    return ran


def assert_harmless(page: Page, ran: list[str]) -> None:
    assert page.evaluate(FORBIDDEN) == []
    for link in page.get_by_text("press", exact=True).all()[:20]:
        assert (link.get_attribute("href") or "https:").startswith(("http:", "https:", "mailto:"))
    assert ran == []


def test_messages_of_people_and_agents(server: Server, page: Page, watched: list[str]) -> None:
    """In the room as they come, live; after a reload; on the tasks' pages."""
    begin(page)
    for number, text in enumerate(together(CORPUS), 2):
        send(page, f"@tess repeat {text}")
        expect(page.get_by_text("That is all of it.")).to_have_count(number)
    assert_harmless(page, watched)

    page.reload()
    expect(answers(page).last).to_contain_text("That is all of it.", use_inner_text=True)
    assert_harmless(page, watched)

    page.goto("/tasks/")
    assert_harmless(page, watched)
    page.locator("main a[href^='/tasks/']").first.click()
    assert_harmless(page, watched)


def test_titles_and_names_of_files(server: Server, page: Page, watched: list[str]) -> None:
    begin(page)
    url = page.url
    for text in CORPUS[::7]:
        call(page, "PATCH", url, {"title": text})
        name = text.replace("/", "").replace("\x00", "")[:100] or "x"
        upload(page, url, f"{name}.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>hit()</script></svg>")
        page.goto("/")
        assert_harmless(page, watched)
    page.goto(url)
    assert_harmless(page, watched)


def test_a_file_is_never_a_page_of_ours(server: Server, page: Page, watched: list[str]) -> None:
    begin(page)
    for name, kind in (("x.html", "text/html"), ("x.svg", "image/svg+xml"), ("x.xml", "application/xhtml+xml")):
        file = upload(page, page.url, name, "<script>hit()</script>", kind)
        answer = page.request.get(f"/files/{file['id']}/")
        assert answer.ok
        assert answer.headers["content-type"] not in ("text/html", "image/svg+xml", "application/xhtml+xml")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "attachment" in answer.headers["content-disposition"]


def test_agents_tokens_and_people(server: Server, page: Page, watched: list[str]) -> None:
    texts = [text for text in CORPUS if "\x00" not in text][::3]
    server.manage("shell", "-c", SEED.format(texts=json.dumps(texts)))
    agents = [f"/agents/hostile-{number}/" for number in range(0, len(texts), 4)]
    try:
        for path in ("/", "/agents/", "/settings/", "/admin/agents_app/agent/", *agents):
            page.goto(path)
            assert_harmless(page, watched)
    finally:
        server.manage("shell", "-c", CLEAN)


def begin(page: Page) -> None:
    page.goto("/new/")
    expect(page.locator('html[data-connection="open"]')).to_be_attached()
    send(page, "@tess repeat nothing")
    expect(page.get_by_text("That is all of it.")).to_have_count(1)


def together(texts: list[str]) -> list[str]:
    """Several in one message; but a fence that is left open would hide what follows."""
    alone = [text for text in texts if "```" in text or "<!" in text]
    rest = [text for text in texts if text not in alone]
    return [*("\n\n".join(rest[start : start + 6]) for start in range(0, len(rest), 6)), *alone]


def call(page: Page, method: str, url: str, body: dict[str, Any]) -> None:
    id = url.rstrip("/").rpartition("/")[2]
    headers = {"x-csrftoken": token(page), "referer": url}
    answer = page.request.fetch(f"/api/v1/conversations/{id}", method=method, data=body, headers=headers)
    assert answer.ok, answer.text()


def upload(page: Page, url: str, name: str, content: str, kind: str = "image/svg+xml") -> dict[str, Any]:
    id = url.rstrip("/").rpartition("/")[2]
    file = {"name": name, "mimeType": kind, "buffer": content.encode()}
    headers = {"x-csrftoken": token(page), "referer": url}
    answer = page.request.post(f"/api/v1/conversations/{id}/attachments", multipart={"file": file}, headers=headers)
    assert answer.ok, answer.text()
    return dict(answer.json())


def token(page: Page) -> str:
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
