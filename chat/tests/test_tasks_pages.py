from __future__ import annotations

import re
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from agents_app.ids import uuid7
from agents_app.models import Agent, Event, Task, WireMessage
from chat.sequence import MAX_ARROWS, load_sequence
from chat.templatetags.durations import duration
from chat.tests.room import BEGIN, Room, make_agent

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(ada: User) -> Room:
    return Room(ada, title="Lisbon")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def browser(ada: User) -> Client:
    return signed_in(ada)


def html(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def begin(room: Room, owner: User | None, text: str = "Is it warm?", agent: str = "chloe", **values: Any) -> Task:
    return room.task(agent, room.said(text, owner), **{"owner": owner, "state": "completed", **values})


def delegate(room: Room, parent: Task, agent: str = "phil", **values: Any) -> Task:
    """A task that `parent` delegated, with the step that remembers it."""
    request = room.said("How is the weather?", agent=parent.agent_id, role="user", inner=True)
    chain = [*parent.chain, parent.agent_id]
    child = room.task(agent, request, owner=parent.owner, parent=parent, chain=chain, state="completed", **values)
    answer = room.said("I ask.", agent=parent.agent_id, task=parent, inner=parent.parent is not None)
    name = Agent.objects.get(id=agent).name
    room.step(answer, kind="agent", name=name, child=child, data={"message": request.text, "agent": agent})
    return child


def tell(task: Task, *facts: tuple[float, str, dict[str, Any]]) -> None:
    numbers = count(Event.objects.count() + 1_000)
    for version, (after, type, data) in enumerate(facts, start=1):
        at = task.created_at + timedelta(seconds=after)
        Event.objects.create(
            context_id=task.context_id,
            seq=next(numbers),
            task=task,
            version=version,
            type=type,
            data=data,
            created_at=at,
        )


def keep(task: Task | None, **values: Any) -> WireMessage:
    plain = {
        "direction": "in",
        "binding": "JSONRPC",
        "operation": "SendMessage",
        "method": "POST",
        "url": "/a2a/chloe/",
    }
    return WireMessage.objects.create(task=task, created_at=BEGIN, **{**plain, "status": 200, **values})


def test_it_works(browser, room, ada):
    task = begin(room, ada, "Is it **warm**?")

    page = html(browser, "/tasks/")

    assert f'href="/tasks/{task.id}/"' in page and "Is it **warm**?" in page and "Completed" in page
    assert re.search(r">You</span>.* → .*>Chloe</span>", page)


def test_the_chat_leads_to_the_list(browser):
    assert 'href="/tasks/"' in html(browser, "/new/")


def test_somebody_elses_task_does_not_exist(room, ada, mallory, grace):
    task = begin(room, ada, "A secret plan")

    assert "A secret plan" not in html(signed_in(mallory), "/tasks/")
    assert "A secret plan" not in html(signed_in(mallory), "/tasks/?everybody=on")
    assert signed_in(mallory).get(f"/tasks/{task.id}/").status_code == 404
    assert signed_in(mallory).get(f"/tasks/{uuid4()}/").status_code == 404
    assert Client().get(f"/tasks/{task.id}/").status_code == 302


def test_whoever_only_takes_part_does_not_see_what_was_sent(ada, mallory):
    room = Room(ada, mallory)
    task = begin(room, ada)

    assert signed_in(mallory).get(f"/tasks/{task.id}/").status_code == 404


def test_administrators_may_look_at_everybodys(room, ada, grace):
    begin(room, ada, "Ada's question")
    client = signed_in(grace)

    assert "Ada's question" not in html(client, "/tasks/").replace("&#x27;", "'")
    page = html(client, "/tasks/?everybody=on").replace("&#x27;", "'")
    assert "Ada's question" in page and ">Ada</span>" in page
    assert "Stop" not in html(client, f"/tasks/{Task.objects.get().id}/"), "only whom a task acts for stops it here"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("state=failed", ["failed"]),
        ("state=unfinished", ["waiting"]),
        ("agent=phil", ["phil"]),
        ("via=a2a", ["a2a"]),
        ("via=chat&state=completed", ["completed", "phil"]),
        ("since=2026-06-05", ["waiting"]),
        ("until=2026-06-04&state=failed", ["failed"]),
        ("since=2026-06-05&until=2026-06-04", []),
        ("state=nonsense", []),
        ("since=yesterday", []),
    ],
)
def test_filters_narrow_the_list(browser, room, ada, query, shown):
    begin(room, ada, "completed")
    begin(room, ada, "failed", state="failed")
    begin(room, ada, "waiting", state="input-required", updated_at=BEGIN + timedelta(days=1))
    begin(room, ada, "phil", agent="phil")
    begin(room, ada, "a2a", via="a2a")

    page = html(browser, f"/tasks/?{query}")

    assert sorted(re.findall(r'class="task-words"[^>]*>([^<]+)<', page)) == sorted(shown)


@pytest.mark.parametrize("everybody", ["", "&everybody=on"])
def test_pages_neither_lose_nor_double_a_task(grace, settings, everybody):
    settings.CHAT_PAGE_SIZE = 3
    room = Room(grace)
    for number in range(8):
        begin(room, grace, f"number {number}", updated_at=BEGIN + timedelta(minutes=number // 3))
    client, path, seen = signed_in(grace), f"/tasks/?state=completed{everybody}", []
    while path:
        page = html(client, path)
        seen += re.findall(r"number \d", page)
        older = re.search(r'href="(\?[^"]*before=[^"]*)"', page)
        path = f"/tasks/{older[1].replace('&amp;', '&')}" if older else ""

    assert seen == [f"number {number}" for number in range(7, -1, -1)]


@pytest.mark.parametrize("path", ["/tasks/?before=x", "/tasks/?before=1_2", "/tasks/{id}/?before=x"])
def test_a_made_up_page_is_refused(browser, room, ada, path):
    assert browser.get(path.format(id=begin(room, ada).id)).status_code == 400


def test_the_list_takes_few_queries_and_begins_in_the_index(browser, room, ada):
    first = begin(room, ada)
    for _ in range(5):
        delegate(room, first)
    html(browser, "/tasks/")  # the first request of a browser notes that it is in use
    with CaptureQueriesContext(
        connection,
    ) as queries:
        html(browser, "/tasks/")
    lists = [query["sql"] for query in queries if "ORDER BY" in query["sql"] and "agents_app_task" in query["sql"]]

    assert len(queries) <= 8 and len(lists) == 1
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {lists[0]}")
            plan = " ".join(str(row[3]) for row in cursor.fetchall())
        assert "task_by_owner" in plan and "TEMP B-TREE" not in plan


def test_a_tasks_page_tells_what_happened(browser, room, ada):
    task = begin(room, ada, state="working", status_text="looks outside", budget={"hops": 4, "tokens": 9_000})
    answer = room.said("It **is**.", agent="chloe", task=task, usage={"input_tokens": 1_200, "output_tokens": 34})
    step = room.step(answer, kind="tool", name="forecast", error="No such place.")
    room.artifact(answer, {"data": {"sky": "blue"}}, name="sky.json")
    tell(
        task,
        (0, "task.status", {"state": "submitted", "text": ""}),
        (0.5, "task.status", {"state": "working", "text": ""}),
        (1, "tool.started", {"step": str(step.id)}),
        (2, "task.status", {"state": "working", "text": "looks outside"}),
    )

    page = html(browser, f"/tasks/{task.id}/")

    assert re.findall(r'class="moment-title">(?:<code>)?([^<]+)<', page) == [
        *("Submitted", "At work", "forecast", "looks outside"),
    ]
    assert "No such place." in page and "500 ms" in page
    assert "4 delegations, 7,766 tokens" in page and "1,234" in page
    assert "<strong>is</strong>" in page and "sky.json" in page
    assert "task#cancel" in page and f'href="/c/{room.id}/"' in page


def test_a_tasks_page_needs_nothing_its_policy_forbids(browser, room, ada):
    task = begin(room, ada, '"><script>alert(1)</script>')
    keep(task, request_body="</pre><script>alert(2)</script>", operation="<b>", url="/<i>")
    page = html(browser, f"/tasks/{task.id}/")

    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<b>|<i>|alert\(.\)</script>", page)
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []


def test_a_page_follows_only_what_may_be_watched_and_is_not_over(room, ada, grace):
    over, running = begin(room, ada), begin(room, ada, state="working")
    connects = 'data-controller="connection"'

    assert connects not in html(signed_in(ada), f"/tasks/{over.id}/")
    assert connects in html(signed_in(ada), f"/tasks/{running.id}/")
    page = html(signed_in(grace), f"/tasks/{running.id}/")
    assert connects not in page and "Refresh" in page


def test_the_diagram_shows_the_whole_tree_from_any_of_its_tasks(room, ada):
    make_agent("rita")
    task = begin(room, ada)
    child = delegate(room, task, created_at=BEGIN + timedelta(seconds=1))
    grandchild = delegate(room, child, "rita", created_at=BEGIN + timedelta(seconds=2))
    for one in (task, child, grandchild):
        diagram = load_sequence(one, "You")
        assert [actor.agent_id for actor in diagram.actors] == ["", "chloe", "phil", "rita"]
        assert [(arrow.source, arrow.target) for arrow in diagram.arrows if arrow.kind == "request"] == [
            *(("", "chloe"), ("chloe", "phil"), ("phil", "rita")),
        ]
        assert {arrow.task for arrow in diagram.arrows if arrow.here} == {one.id}


def test_the_diagram_shows_tools_questions_and_what_went_wrong(room, ada):
    task = begin(room, ada, state="failed", status_text="No time.", updated_at=BEGIN + timedelta(seconds=30))
    answer = room.said("Well", agent="chloe", task=task)
    room.step(answer, kind="tool", name="forecast", started_at=BEGIN + timedelta(seconds=1))
    question = {"question": "Which day?", "answer": str(uuid7())}
    moments = {"started_at": BEGIN + timedelta(seconds=2), "finished_at": BEGIN + timedelta(seconds=9)}
    room.step(answer, kind="ask", data=question, **moments)

    arrows = load_sequence(task, "You").arrows

    assert [(arrow.kind, arrow.text, arrow.failed) for arrow in arrows] == [
        ("request", "Is it warm?", False),
        ("tool", "forecast", False),
        ("question", "Which day?", False),
        ("reply", "answers", False),
        ("answer", "No time.", True),
    ]
    assert all(arrow.y > 0 for arrow in arrows) and arrows[0].x1 < arrows[0].x2


def test_a_diagram_has_an_end(room, ada):
    task = begin(room, ada)
    answer = room.said("Well", agent="chloe", task=task)
    for _ in range(MAX_ARROWS + 5):
        room.step(answer, kind="tool", name="again")

    diagram = load_sequence(task, "You")

    assert len(diagram.arrows) == MAX_ARROWS and not diagram.whole


def test_a_program_without_a_name_is_called_what_it_is(room, grace):
    task = begin(room, None, via="a2a")

    assert "A2A caller" in html(signed_in(grace), f"/tasks/{task.id}/")


def test_what_was_on_the_wire_is_shown_with_a_command_that_sends_it_again(browser, room, ada):
    task = begin(room, ada, via="a2a")
    keep(task, request_headers={"Authorization": "Bearer $TOKEN"}, request_body='{"a":1}', response_body='{"b":[2]}')
    keep(task, direction="out", binding="push", operation="statusUpdate", status=None)
    keep(None, operation="GetTask")

    page = html(browser, f"/tasks/{task.id}/").replace("&quot;", '"').replace("&#x27;", "'")

    assert page.count('class="exchange-item"') == 2 and "GetTask" not in page
    assert '"a": 1' in page and '"b": [' in page and "no answer" in page
    assert "curl -i -X 'POST' 'http://127.0.0.1:8000/a2a/chloe/'" in page
    assert "-H 'Authorization: Bearer '\"$TOKEN\"" in page


def test_events_of_a_stream_are_indented_and_broken_bodies_left_alone(browser, room, ada):
    task = begin(room, ada, via="a2a")
    keep(task, response_body='id: 1\ndata: {"a":{"b":1}}\n\n', request_body='{"cut": "of')
    keep(task, response_body="[" * 20_000, operation="deep")

    page = html(browser, f"/tasks/{task.id}/").replace("&quot;", '"')

    assert 'data: {\n  "a": {' in page and '{"cut": "of' in page


def test_older_messages_of_the_wire_are_one_link_away(browser, room, ada):
    task = begin(room, ada, via="a2a")
    for number in range(53):
        keep(task, operation=f"number-{number:02}")

    newest = html(browser, f"/tasks/{task.id}/")
    older = re.search(r'href="(\?before=[^"#]+)#wire"', newest)
    assert older is not None
    oldest = html(browser, f"/tasks/{task.id}/{older[1]}")

    assert re.findall(r"number-\d\d", newest) == [f"number-{number:02}" for number in range(3, 53)]
    assert re.findall(r"number-\d\d", oldest) == ["number-00", "number-01", "number-02"]


def test_a_delegation_in_the_chat_says_for_whom_it_acts(browser, room, ada):
    make_agent("rita")
    delegate(room, delegate(room, begin(room, ada)), "rita")

    page = html(browser, f"/c/{room.id}/")

    chains = re.findall(r'<p class="step-chain">(.*?)</p>', page, re.DOTALL)
    words = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", chain)) for chain in chains]
    names = dict(Agent.objects.values_list("id", "name"))
    way = f"For Ada → {names['chloe']} → {names['phil']}"
    assert [chain.strip() for chain in words] == [way, f"{way} → Rita"]
    assert all(f'data-person-id-value="{ada.pk}"' in chain for chain in chains), "to her it says You"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.0, "0 ms"),
        (0.0404, "40 ms"),
        (1.46, "1.5 s"),
        (12.4, "12 s"),
        (185, "3 min 5 s"),
        (7_200, "2 h"),
        (timedelta(days=2, hours=4, minutes=9), "2 d 4 h"),
    ],
)
def test_durations_are_said_in_two_units(seconds, words):
    assert duration(seconds) == words
