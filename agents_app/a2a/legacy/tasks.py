"""Tasks as 0.3 has them."""

from __future__ import annotations

from typing import Any

from a2a.compat.v0_3 import conversions
from a2a.types import a2a_pb2 as pb

from agents_app.a2a.protojson import Json, to_message


def legacy_task(json: Json) -> dict[str, Any]:
    task = conversions.to_compat_task(to_message(json, pb.Task()))
    return task.model_dump(mode="json", by_alias=True, exclude_none=True)
