from __future__ import annotations

from ninja import Query, Router

from accounts.models import User
from agents_app.threads import in_thread
from chat.api.authentication import ApiRequest
from chat.api.limits import Limit
from chat.api.schemas import FoundOut, FoundPage
from chat.search import QUERY_MAX_CHARS, search

FOUND_PAGE_SIZE = 20

router = Router()


@router.get("/search", response=FoundPage, summary="Search your conversations")
async def search_messages(
    request: ApiRequest,
    q: str = Query(
        max_length=QUERY_MAX_CHARS, description='Words, `"phrases in quotes"`; the last word may be unfinished.'
    ),
    before: str = Query("", max_length=100),
    limit: Limit = FOUND_PAGE_SIZE,
) -> FoundPage:
    """The newest messages that hold all the words. Who left a conversation finds nothing in it any more."""
    return await in_thread(_page, request.auth, q, before, limit)


def _page(user: User, q: str, before: str, limit: int) -> FoundPage:
    page = search(user, q, before, limit)
    return FoundPage(messages=[FoundOut.of(found) for found in page.rows], before=page.before)
