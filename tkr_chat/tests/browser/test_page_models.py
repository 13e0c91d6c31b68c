"""The page's models by themselves (`static/js/models/`), in a real Chromium but without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Route

pytestmark = pytest.mark.browser

ORIGIN = "http://models.test"
STATIC = Path(settings.BASE_DIR) / "static"

Run = Callable[[str], Any]


@pytest.fixture
def run(chromium_browser: Browser) -> Iterator[Run]:
    """Evaluate the body of an async function on an empty page that can import from `/js/`."""

    def serve(route: Route) -> None:
        script = STATIC / route.request.url.removeprefix(ORIGIN).lstrip("/")
        if script.suffix == ".js":
            route.fulfill(body=script.read_text(), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><body></body>", content_type="text/html")

    page = chromium_browser.new_page()
    page.route("**/*", serve)
    page.goto(f"{ORIGIN}/")
    yield lambda body: page.evaluate(f"async () => {{ {body} }}")
    page.close()


LIVE = 'const { LiveMessage, GAP } = await import("/js/models/live_message.js"); '


def test_it_works(run: Run):
    body = 'const m = new LiveMessage(0, ""); m.append(0, "Hel"); m.append(3, "lo"); return [m.tail, m.end]'
    assert run(LIVE + body) == ["Hello", 5]


@pytest.mark.parametrize(
    ("pieces", "tail"),
    [
        ([(0, "abc"), (3, "def")], "abcdef"),
        ([(0, "abc"), (0, "abcdef")], "abcdef"),
        ([(0, "abc"), (1, "bc")], "abc"),
        ([(0, "🦉🦉"), (2, "x")], "🦉🦉x"),
        ([(0, "🦉a"), (1, "a🦉b")], "🦉a🦉b"),
        ([(0, "🦉a"), (0, "🦉a🦉")], "🦉a🦉"),
    ],
)
def test_pieces_that_overlap_are_joined_by_characters(run: Run, pieces: list[tuple[int, str]], tail: str):
    appends = "".join(f'm.append({offset}, "{text}"); ' for offset, text in pieces)
    assert run(f'{LIVE} const m = new LiveMessage(0, ""); {appends} return [m.tail, m.end]') == [tail, len(tail)]


def test_a_missing_piece_is_noticed_and_changes_nothing(run: Run):
    body = 'const m = new LiveMessage(0, "ab"); return [m.append(3, "x") === GAP, m.settle(9) === GAP, m.tail]'
    assert run(LIVE + body) == [True, True, "ab"]


def test_what_is_settled_leaves_the_tail_once(run: Run):
    body = r"""const m = new LiveMessage(10, "🦉one\n\ntwo");
    return [m.settle(15), m.settle(15), m.settle(9), m.start, m.tail, m.end]"""
    assert run(LIVE + body) == [True, False, False, 15, "\ntwo", 19]


OUTBOX = """
const { Outbox } = await import("/js/models/outbox.js");
const kept = new Map();
const storage = { load: (key, otherwise) => kept.get(key) ?? otherwise, save: (key, value) => kept.set(key, value) };
const outbox = new Outbox("ada", storage), other = new Outbox("ada", storage);
const entry = (id, conversation = "c") =>
  ({ client_id: id, conversation, text: id, attachments: [], created_at: Date.now() });
"""


def test_the_outbox_is_shared_and_keeps_the_order(run: Run):
    body = 'outbox.add(entry("a")); other.add(entry("b")); return outbox.waiting.map((one) => one.client_id)'
    assert run(OUTBOX + body) == ["a", "b"]


def test_a_refused_message_waits_for_its_author(run: Run):
    body = """outbox.add(entry("a")); outbox.fail("a", "Too long.");
    const failed = [outbox.waiting.length, outbox.find("a").error];
    outbox.retry("a"); return [...failed, outbox.waiting.length]"""
    assert run(OUTBOX + body) == [0, "Too long.", 1]


def test_a_saved_message_is_not_sent_again_but_stays_visible(run: Run):
    body = """outbox.add(entry("a")); outbox.add(entry("b", "d")); outbox.markSaved("a");
    const seen = [outbox.waiting.length, outbox.in("c").length];
    outbox.forgetSaved("c"); return [...seen, outbox.in("c").length, outbox.in("d").length]"""
    assert run(OUTBOX + body) == [1, 1, 0, 1]


def test_nobody_sees_the_outbox_of_another_person(run: Run):
    assert run(OUTBOX + 'outbox.add(entry("a")); return new Outbox("grace", storage).entries.length') == 0


BACKOFF = 'const { Backoff } = await import("/js/models/backoff.js"); '


def test_waiting_grows_differs_between_browsers_and_has_an_end(run: Run):
    waits = run(BACKOFF + "const b = new Backoff(() => 1); return Array.from({ length: 9 }, () => b.next())")
    assert waits[:4] == [500, 1000, 2000, 4000]
    assert waits[-1] == waits[-2] == 20_000
    assert run(BACKOFF + "return new Backoff(() => 0).next()") == 250
    assert run(BACKOFF + "const b = new Backoff(() => 1); b.next(); b.reset(); return b.next()") == 500


CONNECTION = """
const { Connection } = await import("/js/models/connection.js")
const sockets = [], waits = []
let ring = null
window.WebSocket = class { constructor() { sockets.push(this) } send() {} close() {} }
window.setTimeout = (call, ms) => { waits.push(ms); ring = call; return waits.length }
const connection = new Connection("ws://nowhere", { state() {}, frame() {}, signedOut() {} })
const hears = (type) => sockets.at(-1).onmessage({ data: JSON.stringify({ type }) })
const asks = () => { connection.send({ type: "conversation.open" }); return waits.at(-1) }
"""


def test_who_gets_no_answer_waits_longer_for_the_next_and_before_it_comes_back(run: Run):
    body = """const patience = [], pauses = []
    connection.open()
    for (let time = 0; time < 4; time++) {
      hears("session.opened")  // a server that is late with everything takes connections all the same
      patience.push(asks())
      ring()  // nothing came
      pauses.push(waits.at(-1))
      ring()
    }
    hears("session.opened"); asks(); hears("conversation.opened")
    return [patience, pauses, asks()]"""
    patience, pauses, afterwards = run(CONNECTION + body)
    assert patience == [10_000, 20_000, 40_000, 40_000]
    assert all(250 * 2**number <= pause <= 500 * 2**number for number, pause in enumerate(pauses))
    assert afterwards == 10_000


MENTION = 'const { mentionAt, matching, completed } = await import("/js/models/mention_query.js"); '


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("@", ""),
        ("Hello @Ph", "ph"),
        ("(@all", "all"),
        ("@chloe ", None),
        ("ada@chloe", None),
        ("", None),
        ("/@x", None),
    ],
)
def test_a_mention_is_seen_while_it_is_typed(run: Run, text: str, word: str | None):
    assert run(f'{MENTION} return mentionAt("{text}", {len(text)})?.word ?? null') == word


def test_who_begins_with_the_word_comes_before_who_only_contains_it(run: Run):
    options = '[{ id: "alpha", name: "Al" }, { id: "phil", name: "Phil Connors" }, { id: "x", name: "Conny" }]'
    assert run(f'{MENTION} return matching({options}, "con").map((one) => one.id)') == ["phil", "x"]
    assert run(f'{MENTION} return matching({options}, "ph").map((one) => one.id)') == ["phil", "alpha"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [("Hi @ph", "", "Hi @phil |"), ("@ph", " there", "@phil |there"), ("@p", "hxx, ok", "@phil |, ok")],
)
def test_a_picked_name_takes_the_place_of_what_was_typed(run: Run, before: str, after: str, expected: str):
    start, caret = before.index("@"), len(before)
    body = f'const done = completed("{before + after}", {caret}, {start}, "phil"); return [done.text, done.caret]'
    text, place = run(MENTION + body)
    assert text[:place] + "|" + text[place:] == expected


LIST = """
const { MessageList } = await import("/js/models/message_list.js");
document.body.innerHTML = '<div id="thread"><div id="end"></div></div>';
const thread = document.getElementById("thread");
const list = new MessageList(thread, document.getElementById("end"));
const article = (seq, { author = "a", minute = seq, day = 4 } = {}) => {
  const made = document.createElement("article");
  Object.assign(made, { className: "message", id: `message-${seq}` });
  Object.assign(made.dataset, { seq, author });
  made.innerHTML = `<time datetime="${new Date(2026, 5, day, 9, minute).toISOString()}"></time>`;
  return made;
};
const all = (read) => [...thread.querySelectorAll("article")].map(read);
"""
GROUPED = 'return all((one) => "grouped" in one.dataset)'


def test_messages_find_their_place_and_stand_there_once(run: Run):
    body = (
        "for (const seq of [3, 10, 1, 9, 10, 2]) list.put(article(seq)); return all((one) => Number(one.dataset.seq))"
    )
    assert run(LIST + body) == [1, 2, 3, 9, 10]


def test_an_author_is_named_once_until_somebody_else_speaks_or_time_passes(run: Run):
    body = 'list.put(article(1)); list.put(article(2)); list.put(article(20)); list.put(article(21, { author: "b" }));'
    assert run(LIST + body + GROUPED) == [False, True, False, False]


def test_a_message_that_arrives_in_between_parts_a_group(run: Run):
    body = 'list.put(article(1)); list.put(article(3)); list.put(article(2, { author: "b" }));'
    assert run(LIST + body + GROUPED) == [False, False, False]


def test_a_day_is_named_above_its_first_message_only(run: Run):
    body = """list.put(article(2, { day: 4 })); list.put(article(3, { day: 5 })); list.put(article(1, { day: 4 }));
    return all((one) => Boolean(one.dataset.day))"""
    assert run(LIST + body) == [True, False, True]


TAIL = """
const { Tail } = await import("/js/models/tail.js");
const element = document.createElement("p"), tail = new Tail(element);
"""


def test_the_tail_is_dressed_and_never_becomes_html(run: Run):
    body = r'tail.show("\n- **bold** `code`\n<img src=x onerror=alert(1)>"); return element.innerHTML'
    assert run(TAIL + body) == (
        '<span class="tail-line">•  <strong>bold</strong> <code>code</code></span>'
        '<span class="tail-line">&lt;img src=x onerror=alert(1)&gt;</span>'
    )


def test_only_the_last_line_of_the_tail_is_written_again(run: Run):
    body = r"""tail.show("one\ntwo"); const first = element.firstChild.firstChild;
    tail.show("one\ntwo and more"); return [first === element.firstChild.firstChild, element.textContent]"""
    assert run(TAIL + body) == [True, "onetwo and more"]


def test_an_open_code_block_looks_like_code(run: Run):
    body = r'tail.show("```python\n**not bold**\n# no heading"); return [element.className, element.textContent]'
    assert run(TAIL + body) == ["tail-code", "**not bold**# no heading"]


def test_an_entry_of_the_outbox_that_is_not_whole_does_no_harm(run: Run):
    body = """
      const { Outbox } = await import("/js/models/outbox.js")
      const storage = { load: () => [{ client_id: "1", conversation: "c", text: "Hello" }], save: () => {} }
      return new Outbox("ada", storage).in("c").map((entry) => entry.attachments.length)
    """
    assert run(body) == [0]
