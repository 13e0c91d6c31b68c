"""What a caller may say about where to post, and what they are told."""

from __future__ import annotations

import pytest
from a2a.utils.errors import InvalidParamsError, TaskNotFoundError

from agents_app import runtime
from agents_app.a2a.push.configs import add_config, config_row, create_config, delete_config, get_config, list_configs
from agents_app.a2a.push.tests.conftest import make_task, tell
from agents_app.actions.tasks import TaskWrites
from agents_app.models import PushConfig, PushDelivery
from agents_app.runtime.journal import Entry
from agents_app.threads import in_thread

URL = "https://93.184.215.14/hook"
FULL = {
    "id": "mine",
    "url": URL,
    "token": "t0ken",
    "authentication": {"scheme": "Bearer", "credentials": "s3cret"},
}


async def test_it_works(task):
    kept = await create_config(task, FULL)
    assert kept == FULL | {"taskId": str(task.id)}
    assert await get_config(task, "mine") == kept
    assert await list_configs(task) == {"configs": [kept], "nextPageToken": ""}


async def test_an_id_is_made_for_each_that_has_none(task):
    first, second = await create_config(task, {"url": URL}), await create_config(task, {"url": URL})
    assert first["id"] and second["id"] and first["id"] != second["id"]
    assert first == {"id": first["id"], "taskId": str(task.id), "url": URL}
    assert await get_config(task, first["id"]) == first


async def test_the_same_id_again_replaces(task):
    await create_config(task, FULL)
    await create_config(task, {"id": "mine", "url": f"{URL}/2"})
    assert await get_config(task, "mine") == {"id": "mine", "taskId": str(task.id), "url": f"{URL}/2"}
    assert await PushConfig.objects.acount() == 1


async def test_two_tasks_may_use_the_same_id(task):
    other = await make_task(tenant="acme")
    await create_config(task, FULL)
    kept = await create_config(other, FULL | {"url": f"{URL}/2"})
    assert (kept["taskId"], kept["tenant"], kept["url"]) == (str(other.id), "acme", f"{URL}/2")
    assert (await get_config(task, "mine"))["url"] == URL


async def test_secrets_are_encrypted_at_rest(task):
    await create_config(task, FULL)
    row = await PushConfig.objects.aget()
    assert row.token and row.credentials
    assert "t0ken" not in row.token and "s3cret" not in row.credentials


async def test_a_finished_task_takes_reads_and_deletes_configurations(task):
    await tell(task, "working", "completed")
    await create_config(task, FULL)
    assert (await get_config(task, "mine"))["url"] == URL
    await delete_config(task, "mine")
    assert await list_configs(task) == {"configs": [], "nextPageToken": ""}


async def test_what_is_not_there_is_not_found(task):
    other = await make_task()
    await create_config(other, FULL)
    with pytest.raises(TaskNotFoundError):
        await get_config(task, "mine")


async def test_deleting_twice_is_no_error_and_takes_what_waits_along(task):
    await create_config(task, FULL)
    await tell(task, "working")
    assert await PushDelivery.objects.acount() == 1
    await delete_config(task, "mine")
    await delete_config(task, "mine")
    assert await PushDelivery.objects.acount() == 0
    with pytest.raises(TaskNotFoundError):
        await get_config(task, "mine")


async def test_a_task_that_was_deleted_takes_none(task):
    await in_thread(type(task).objects.filter(id=task.id).delete)
    with pytest.raises(TaskNotFoundError):
        await create_config(task, FULL)


async def test_pages_follow_each_other_without_a_gap(task):
    made = [(await create_config(task, {"url": URL}))["id"] for _ in range(5)]
    found, token = [], ""
    while True:
        page = await list_configs(task, 2, token)
        found += [config["id"] for config in page["configs"]]
        token = page["nextPageToken"]
        if not token:
            break
    assert found == made


@pytest.mark.parametrize("token", ["nonsense", "!", "ä", "AAAA", "A" * 500])
async def test_a_page_token_of_somebody_else_is_refused(task, token):
    with pytest.raises(InvalidParamsError, match="pageToken"):
        await list_configs(task, 2, token)


@pytest.mark.parametrize("size", [-1, 101])
async def test_a_page_has_a_reasonable_size(task, size):
    with pytest.raises(InvalidParamsError, match="pageSize"):
        await list_configs(task, size)


async def test_a_task_has_only_so_many(task, settings):
    settings.A2A_PUSH_MAX_CONFIGS = 2
    await create_config(task, FULL)
    await create_config(task, {"url": URL})
    with pytest.raises(InvalidParamsError, match="at most 2"):
        await create_config(task, {"url": URL})
    await create_config(task, FULL)  # replacing adds none


@pytest.mark.parametrize(
    ("json", "words"),
    [
        ({}, "url is required"),
        ({"url": 7}, "url must be text"),
        ({"url": "https://x.example/" + "a" * 2000}, "longer than 2000"),
        ({"url": URL, "id": "a" * 256}, "longer than 255"),
        ({"url": URL, "id": "a\0b"}, "cannot be kept"),
        ({"url": URL, "token": "two\nlines"}, "token may hold visible ASCII"),
        ({"url": URL, "token": "schlüssel"}, "token may hold visible ASCII"),
        ({"url": URL, "authentication": "Bearer x"}, "must be an object"),
        ({"url": URL, "authentication": {"credentials": "x"}}, "scheme must be"),
        ({"url": URL, "authentication": {"scheme": "Bearer x"}}, "scheme must be"),
        ({"url": URL, "authentication": {"scheme": "Bearer", "credentials": "x\r\nHost: y"}}, "visible ASCII"),
    ],
)
async def test_what_cannot_be_kept_or_sent_is_refused(task, json, words):
    with pytest.raises(InvalidParamsError, match=words) as refused:
        await create_config(task, json)
    [(field, _)] = refused.value.data["violations"]
    assert field in str(refused.value) or field == "authentication"
    assert await PushConfig.objects.acount() == 0


# In the entry of a message


async def test_a_row_is_kept_with_whatever_else_its_entry_saves(task):
    row = await config_row(task, FULL)
    assert await PushConfig.objects.acount() == 0
    await runtime.current().journal.append(Entry(new=[row]))
    assert (await get_config(task, "mine"))["token"] == "t0ken"


async def test_a_message_to_a_task_may_replace_its_configuration(task):
    for url in (URL, f"{URL}/2"):
        writes = TaskWrites()
        await add_config(writes, task, FULL | {"url": url})
        await runtime.current().journal.append(Entry(new=writes.new, changes=writes.changes))
    assert [config["url"] for config in (await list_configs(task))["configs"]] == [f"{URL}/2"]
