"""Entities as hashes: one field an attribute, text as it is, everything else as JSON.

An entity is a frozen msgspec Struct with an `id` and a `version`. A field annotated `Secret` is masked in the audit
trail, one annotated `Personal` is sealed there with the key of the entity, one annotated `Owned` with that of its owner
(see data_keys.py).
"""

import functools
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta

Secret = Annotated[str, Meta(extra={"trail": "secret"})]
Personal = Annotated[str, Meta(extra={"trail": "personal"})]
OWNED = Meta(extra={"trail": "owned"})
Owned = Annotated[str, OWNED]


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """`version` counts the changes of the document; a change expects the version that it read."""

    id: str
    version: int = 1


E = TypeVar("E", bound=msgspec.Struct)
_encode = msgspec.json.Encoder().encode


def to_fields(entity: msgspec.Struct) -> dict[str, str]:
    """The fields of an entity's hash; None is an absent field."""
    return {
        name: value if type(value) is str else _text(value)
        for name in entity.__struct_fields__
        if (value := getattr(entity, name)) is not None
    }


def differences(old: E, new: E) -> tuple[dict[str, str], dict[str, str]]:
    """The fields in which two states of an entity differ, as each has them."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for name in old.__struct_fields__:
        was, now = getattr(old, name), getattr(new, name)
        if was is now or (was := _field(was)) == (now := _field(now)):
            continue
        if was is not None:
            before[name] = was
        if now is not None:
            after[name] = now
    return before, after


def from_fields(kind: type[E], fields: dict[str, str]) -> E:
    """The entity in a hash. Fields that this version of the code does not know are left out."""
    readers = _readers(kind)
    return kind(**{n: read(v) if (read := readers[n]) else v for n, v in fields.items() if n in readers})


def from_pairs(kind: type[E], pairs: list[str]) -> E | None:
    """The entity in an answer of HGETALL, or None when the hash does not exist."""
    return from_fields(kind, dict(zip(pairs[::2], pairs[1::2], strict=True))) if pairs else None


@functools.cache
def trail_rules(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Which fields of an entity are `secret`, `personal` or `owned`."""
    rules = {}
    for field in msgspec.structs.fields(kind):
        metas = [m for m in get_args(field.type) if isinstance(m, Meta)] if get_origin(field.type) is Annotated else []
        for meta in metas:
            if meta.extra and "trail" in meta.extra:
                rules[field.name] = meta.extra["trail"]
    return rules


def _field(value: Any) -> str | None:
    return None if value is None else value if type(value) is str else _text(value)


def _text(value: Any) -> str:
    return str(value) if type(value) is int else _encode(value).decode()


@functools.cache
def _readers(kind: type[msgspec.Struct]) -> dict[str, Callable[[str], Any] | None]:
    """How the text of each field is read; None: as it is."""
    types = {field.name: _plain(field.type) for field in msgspec.structs.fields(kind)}
    return {name: None if type_ is str else msgspec.json.Decoder(type_).decode for name, type_ in types.items()}


def _plain(type_: Any) -> Any:
    """Without its annotation; a choice of texts is a text."""
    if get_origin(type_) is Annotated:
        return _plain(get_args(type_)[0])
    return str if get_origin(type_) is Literal else type_
