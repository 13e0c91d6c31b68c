from __future__ import annotations

from typing import Annotated

from django.conf import settings
from pydantic import Field

PAGE_SIZE = settings.CHAT_PAGE_SIZE
PAGE_SIZE_MAX = 500

Limit = Annotated[int, Field(ge=1, le=PAGE_SIZE_MAX, description="How many at once.")]
