"""What the check script says of each question of a call."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from veloflux.limits.frame import Rates
from veloflux.limits.store import Part

_decode = msgspec.msgpack.Decoder().decode


class Outcome(NamedTuple):
    """What the script says of one question; `code` is OK, SEEN, RESERVED, RATE or QUOTA.

    `refused` is the number of the limit that refuses, from 1, and `wait_us` how long a rate does; `paid` is what
    credits paid, `watched` the numbers of the shadows that would have refused, `until` the end of the lease. `left`
    tells of each of the rate limits what it had left, and then in how many µs it would be whole. `passed` is the amount
    that counts now or is held; `total` of the month, `reserved` and `used` of each quota include it.
    """

    code: str
    refused: int
    wait_us: int
    paid: int
    watched: str
    until: int
    rates: Rates
    left: list[int]
    passed: int
    total: int
    reserved: int
    used: list[int]


def figures(answer: list[Any]) -> list[Any]:
    """What the codes PASSED and DECIDED say beyond whether there is something to do."""
    told: list[Any] = _decode(answer[3].encode("utf-8", "surrogateescape"))
    return told


def used_before(pairs: Sequence[str]) -> list[int]:
    """What each quota had used, from what was counted of it and what credits paid of that.

    >>> used_before(["7", "2", "5", "0"])
    [5, 5]
    """
    return [int(counted) - int(paid) for counted, paid in zip(pairs[::2], pairs[1::2], strict=True)]


def outcomes(rates: Rates, questions: Sequence[Part], answer: list[Any]) -> list[Outcome | str]:
    """From the code DECIDED; each question finds what those before it have left. A text says why there is none."""
    total, reserved, pairs, said = figures(answer)
    total, reserved, used = int(total), int(reserved), used_before(pairs)
    found: list[Outcome | str] = []
    for question, one in zip(questions, said, strict=True):
        if isinstance(one, str):
            found.append(one)
            continue
        code, refused, wait_us, paid, watched, until, *left = one
        passed = question.amount if code == "OK" and question.what != "dry" else 0
        if passed and question.what == "reserve":
            reserved += passed
        elif passed:
            total += passed
            used = [before + passed - paid for before in used]
        head = code, refused, wait_us, paid, watched, int(until)
        found.append(Outcome(*head, rates, left, passed, total, reserved, used))
    return found
