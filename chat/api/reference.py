"""The API reference as plain data for a template: read from the OpenAPI schema, so that both always agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chat.api import api
from chat.markdown import to_html

METHODS = ("get", "post", "patch", "delete")
WORDS = {
    "binary": "file",
    "boolean": "true or false",
    "date-time": "time (ISO 8601)",
    "integer": "number",
    "string": "text",
}

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """`description` is HTML, here and below."""

    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    body_type: str
    body: list[Field]
    status: str
    answer_type: str
    answer: list[Field]


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    operations: list[Operation]


def read_reference() -> list[Group]:
    schema = api.get_openapi_schema()
    groups: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                tag = methods[method]["tags"][0]
                groups.setdefault(tag, []).append(_operation(schema, path, method, methods[method]))
    return [Group(name, operations) for name, operations in groups.items()]


def list_shapes() -> list[tuple[str, list[Field]]]:
    """The objects that answers are made of, by name."""
    schema = api.get_openapi_schema()
    return [(_plain(name), list(_fields(shape))) for name, shape in _answered(schema).items()]


def _operation(schema: Schema, path: str, method: str, details: Schema) -> Operation:
    media_type, body = _content(details.get("requestBody", {}))
    status, answer = next(iter(details["responses"].items()))
    _, shape = _content(answer)
    fields = shape if not shape.get("items") else shape["items"]
    return Operation(
        id=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        summary=details["summary"],
        description=to_html(details.get("description", "")),
        parameters=[_parameter(each) for each in details["parameters"] if each["in"] != "path"],
        body_type=media_type,
        body=list(_fields(_resolved(schema, body))),
        status=str(status),
        answer_type=_type(shape) if shape else "",
        answer=list(_fields(_resolved(schema, fields))),
    )


def _parameter(details: Schema) -> Field:
    shape = details["schema"]
    text = details.get("description") or shape.get("description", "")
    return Field(details["name"], _type(shape), details["required"], to_html(text))


def _fields(shape: Schema) -> Iterator[Field]:
    required = shape.get("required", ())
    for name, details in shape.get("properties", {}).items():
        yield Field(name, _type(details), name in required, to_html(details.get("description", "")))


def _content(holder: Schema) -> tuple[str, Schema]:
    for media_type, content in holder.get("content", {}).items():
        return media_type, content["schema"]
    return "", {}


def _resolved(schema: Schema, shape: Schema) -> Schema:
    name = shape.get("$ref", "").rpartition("/")[2]
    return schema["components"]["schemas"][name] if name else shape


def _answered(schema: Schema) -> Schema:
    shapes = schema["components"]["schemas"]
    return {name: shape for name, shape in shapes.items() if name.endswith("Out")}


def _type(shape: Schema) -> str:
    """`text`, `list of Participant`, `uuid or null`: words instead of JSON Schema."""
    if "$ref" in shape:
        return _plain(shape["$ref"].rpartition("/")[2])
    if "anyOf" in shape:
        return " or ".join(_type(each) for each in shape["anyOf"])
    if shape.get("type") == "array":
        return f"list of {_type(shape.get('items', {}))}"
    name = str(shape.get("format") or shape.get("type", "anything"))
    return WORDS.get(name, name)


def _plain(name: str) -> str:
    return name.removesuffix("Out")
