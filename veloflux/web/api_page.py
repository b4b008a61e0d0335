"""The API's reference page: an OpenAPI document's operations, grouped by tag, ready for `api.html`."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

METHODS = ("get", "post", "put", "patch", "delete")


class Parameter(msgspec.Struct, frozen=True):
    name: str
    place: str
    required: bool
    description: str


class Operation(msgspec.Struct, frozen=True):
    """`request` is the body's example as JSON text; `responses` pairs of status and meaning."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Parameter]
    request: str
    responses: list[tuple[str, str]]


class Group(msgspec.Struct, frozen=True):
    tag: str
    operations: list[Operation]


def groups_of(schema: Mapping[str, Any]) -> list[Group]:
    """An OpenAPI 3.1 document's operations under their first tag, tags and operations in the document's order.

    >>> schema = {"paths": {"/api/check": {"post": {"tags": ["limits"], "summary": "May it pass?"}}}}
    >>> [(group.tag, [operation.summary for operation in group.operations]) for group in groups_of(schema)]
    [('limits', ['May it pass?'])]
    """
    groups: dict[str, list[Operation]] = {}
    for path, method, found in _operations(schema):
        tag = (found.get("tags") or ["api"])[0]
        groups.setdefault(tag, []).append(_operation(path, method, found, schema))
    return [Group(tag, operations) for tag, operations in groups.items()]


def _operations(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in schema["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _operation(path: str, method: str, found: Mapping[str, Any], schema: Mapping[str, Any]) -> Operation:
    parameters = [_resolve(each, schema) for each in found.get("parameters", ())]
    return Operation(
        id=re.sub(r"[^a-z0-9]+", "-", f"{method}{path}".lower()).strip("-"),
        method=method.upper(),
        path=path,
        summary=found.get("summary", ""),
        description=found.get("description", ""),
        parameters=[_parameter(each) for each in parameters],
        request=_request_example(found, schema),
        responses=[
            (status, _resolve(answer, schema).get("description", ""))
            for status, answer in sorted(found.get("responses", {}).items())
        ],
    )


def _parameter(found: Mapping[str, Any]) -> Parameter:
    return Parameter(found["name"], found["in"], bool(found.get("required")), found.get("description", ""))


def _request_example(found: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    content = _resolve(found.get("requestBody", {}), schema).get("content", {})
    for media in content.values():
        shape = _resolve(media.get("schema", {}), schema)
        named = [each["value"] for each in media.get("examples", {}).values() if "value" in each]
        candidates = [media.get("example"), *named, shape.get("example"), *shape.get("examples", ())]
        for example in candidates:
            if example is not None:
                return json.dumps(example, indent=2, ensure_ascii=False)
    return ""


def _resolve(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow one `$ref` inside the document."""
    if "$ref" not in node:
        return node
    found: Any = schema
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found  # type: ignore[no-any-return]
