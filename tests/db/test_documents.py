"""What differs between two states of a document, as their hashes have it."""

from typing import Any

import pytest
from msgspec.structs import replace

from veloflux.db.documents import Entity, differences, to_fields


class Bell(Entity, frozen=True, kw_only=True):
    tone: str = "a"
    rung_at: int | None = None
    parts: tuple[dict[str, int], ...] = ()


BELL = Bell(id="bell_1", tone="c", parts=({"clapper": 1},))


@pytest.mark.parametrize(
    ("changed", "before", "after"),
    [
        ({}, {}, {}),
        ({"tone": "d"}, {"tone": "c"}, {"tone": "d"}),
        ({"tone": ""}, {"tone": "c"}, {"tone": ""}),
        ({"rung_at": 7}, {}, {"rung_at": "7"}),
        ({"parts": ({"clapper": 1},)}, {}, {}),
        ({"parts": ({"clapper": 2},)}, {"parts": '[{"clapper":1}]'}, {"parts": '[{"clapper":2}]'}),
        ({"version": 2, "tone": "d"}, {"version": "1", "tone": "c"}, {"version": "2", "tone": "d"}),
    ],
)
def test_only_what_differs_is_told(changed: dict[str, Any], before: dict[str, str], after: dict[str, str]) -> None:
    new = replace(BELL, **changed)
    assert differences(BELL, new) == (before, after)
    assert differences(new, BELL) == (after, before)
    assert {**to_fields(BELL), **after} == to_fields(new)
