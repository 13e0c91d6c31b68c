from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agents_app.models import Attachment, Message
from chat.tests.api_client import Program, token_of
from chat.tests.conftest import settled


@pytest.fixture
def program(transactional_db, ada) -> Program:
    return Program(token_of(ada))


@pytest.fixture
def outsider(transactional_db, mallory) -> Program:
    return Program(token_of(mallory))


@pytest.fixture
def tester(agent) -> str:
    async def respond(turn):
        if "wait" in turn.message.text:
            await asyncio.sleep(60)
        await turn.say("Hello.")

    return agent(respond)


async def ended(program: Program, task_id: str) -> dict:
    async def over() -> bool:
        return (await program.call("GET", f"/tasks/{task_id}"))[1]["state"] not in ("submitted", "working")

    await settled(over)
    return (await program.call("GET", f"/tasks/{task_id}"))[1]


def upload(content: bytes = b"notes", name: str = "notes.txt") -> dict:
    return {"data": {"file": SimpleUploadedFile(name, content, "text/plain")}}


async def test_it_works(program, room, tester):
    path = f"/conversations/{(await room(tester)).id}/messages"
    status, posted = await program.call("POST", path, {"text": "Good morning"})
    assert (status, posted["text"], posted["username"]) == (201, "Good morning", "ada")
    task = await ended(program, posted["tasks"][0])
    assert (task["state"], task["answer"], task["request"]) == ("completed", "Hello.", posted["id"])
    _, page = await program.call("GET", path)
    assert [message["text"] for message in page["messages"]] == ["Good morning", "Hello."]


async def test_a_message_sent_twice_is_posted_once(program, room):
    path = f"/conversations/{(await room()).id}/messages"
    message = {"text": "Once", "client_id": str(uuid4())}
    answers = await asyncio.gather(*(program.call("POST", path, message) for _ in range(3)))
    assert {status for status, _ in answers} == {201}
    assert len({posted["id"] for _, posted in answers}) == 1
    assert await Message.objects.acount() == 1


async def test_messages_go_page_by_page(program, room):
    path = f"/conversations/{(await room()).id}/messages"
    for number in range(3):
        await program.call("POST", path, {"text": str(number)})
    _, newest = await program.call("GET", path, query_params={"limit": 2})
    _, oldest = await program.call("GET", path, query_params={"limit": 2, "before": newest["before"]})
    assert [message["text"] for message in newest["messages"]] == ["1", "2"]
    assert [message["text"] for message in oldest["messages"]] == ["0"]
    assert oldest["before"] == ""


@pytest.mark.parametrize("text", ["", "  ", "a\u0000b"])
async def test_bad_text_is_refused(program, room, text):
    path = f"/conversations/{(await room()).id}/messages"
    assert await program.refused("POST", path, {"text": text}) == (400, "bad_message")


async def test_text_that_is_no_unicode_is_refused(program, room):
    path = f"/conversations/{(await room()).id}/messages"
    assert await program.refused("POST", path, '{"text": "\\ud800"}') == (422, "invalid")


async def test_long_text_is_refused(program, room, settings):
    settings.CHAT_MESSAGE_MAX_CHARS = 5
    path = f"/conversations/{(await room()).id}/messages"
    assert await program.refused("POST", path, {"text": "longer"}) == (400, "bad_message")


async def test_large_body_is_refused(program, room, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 50
    path = f"/conversations/{(await room()).id}/messages"
    assert await program.refused("POST", path, {"text": "x" * 100}) == (413, "too_large")


async def test_a_file_is_uploaded_and_attached(program, room):
    path = f"/conversations/{(await room()).id}"
    status, file = await program.call("POST", f"{path}/attachments", **upload())
    assert status == 201
    assert file == {"id": file["id"], "filename": "notes.txt", "media_type": "text/plain", "size": 5}
    _, posted = await program.call("POST", f"{path}/messages", {"attachments": [file["id"]]})
    assert posted["parts"][0]["url"] == f"attachment:{file['id']}"


async def test_a_file_is_downloaded_by_those_who_take_part(program, outsider, room):
    _, file = await program.call("POST", f"/conversations/{(await room()).id}/attachments", **upload(b"<script>"))
    path = f"/attachments/{file['id']}"
    response = await program.get(path)
    assert (response.content, response["Content-Type"]) == (b"<script>", "application/octet-stream")
    assert response["Content-Disposition"] == 'attachment; filename="notes.txt"'
    assert await outsider.refused("GET", path) == (404, "not_found")


async def test_too_large_file_is_refused(program, room, settings):
    settings.ATTACHMENT_MAX_BYTES = 4
    path = f"/conversations/{(await room()).id}/attachments"
    assert await program.refused("POST", path, **upload()) == (413, "too_large")
    assert not await Attachment.objects.aexists()


async def test_upload_needs_a_file(program, room):
    path = f"/conversations/{(await room()).id}/attachments"
    assert await program.refused("POST", path, data={"note": "no file"}) == (422, "invalid")


async def test_outsiders_upload_nothing(outsider, room):
    path = f"/conversations/{(await room()).id}/attachments"
    assert await outsider.refused("POST", path, **upload()) == (404, "not_found")


async def test_files_of_another_conversation_cannot_be_attached(program, room):
    here, there = await room(), await room()
    _, file = await program.call("POST", f"/conversations/{there.id}/attachments", **upload())
    message = {"text": "Look", "attachments": [file["id"]]}
    assert await program.refused("POST", f"/conversations/{here.id}/messages", message) == (400, "bad_message")


async def test_a_task_is_stopped_once(program, room, tester):
    path = f"/conversations/{(await room(tester)).id}/messages"
    _, posted = await program.call("POST", path, {"text": "please wait"})
    task = f"/tasks/{posted['tasks'][0]}"
    status, stopped = await program.call("POST", f"{task}/cancel")
    assert (status, stopped["state"]) == (200, "canceled")
    assert await program.refused("POST", f"{task}/cancel") == (409, "conflict")


async def test_outsiders_find_no_task(program, outsider, room, tester):
    path = f"/conversations/{(await room(tester)).id}/messages"
    _, posted = await program.call("POST", path, {"text": "Hello"})
    task = f"/tasks/{posted['tasks'][0]}"
    assert await outsider.refused("GET", task) == (404, "not_found")
    assert await outsider.refused("POST", f"{task}/cancel") == (404, "not_found")
    await ended(program, posted["tasks"][0])


async def test_agents_are_listed_with_their_brain(program, tester):
    _, agents = await program.call("GET", "/agents")
    found = next(each for each in agents if each["id"] == tester)
    assert (found["name"], bool(found["brain"])) == ("Tester", True)
