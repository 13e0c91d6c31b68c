from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient

from accounts.actions.api_tokens import make_token
from accounts.models import User

API = "/api/v1"


class Program:
    """A script that calls the API with a token. `client` is the bare client below it."""

    def __init__(self, token: str = "") -> None:
        self.client = AsyncClient(raise_request_exception=False)
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    async def call(self, method: str, path: str, body: Any = None, **values: Any) -> tuple[int, Any]:
        """The status and the parsed answer."""
        if body is not None:
            values |= {"data": body, "content_type": "application/json"}
        send = getattr(self.client, method.lower())
        response = await send(API + path, headers=self._headers, **values)
        return response.status_code, response.json() if response.content else None

    async def get(self, path: str) -> HttpResponse:
        """What is not JSON."""
        return await self.client.get(API + path, headers=self._headers)

    async def refused(self, method: str, path: str, body: Any = None, **values: Any) -> tuple[int, str]:
        """The status and the error's code; the error has words for people, too."""
        status, answer = await self.call(method, path, body, **values)
        assert list(answer) == ["error"]
        assert answer["error"]["message"]
        return status, answer["error"]["code"]


def token_of(user: User) -> str:
    with ThreadPoolExecutor(1) as pool:  # a test that awaits may not touch the database itself
        return pool.submit(_make_token, user).result()


def _make_token(user: User) -> str:
    try:
        return make_token(user, "a script")[1]
    finally:
        connection.close()  # back to the pool, which would miss it when the thread is gone
