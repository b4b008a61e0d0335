"""What may become of a subscription and of an invoice: every state with every move, and the page that says so."""

from typing import Any, get_args

import pytest

from tests.test_repository import ROOT
from veloflux.billing.states import (
    ENDED,
    INVOICE,
    LIVING,
    RUNNING,
    SUBSCRIPTION,
    InvoiceStatus,
    Life,
    Status,
    diagram,
    move,
    possible,
)
from veloflux.errors import MoveImpossible

# Each row a move, each column a state: what comes after it, "." where it is impossible.
SUBSCRIPTIONS = """
move                    -        trialing  active    past_due  paused    cancelled expired
start                   active   .         .         .         .         .         .
start_trial             trialing .         .         .         .         .         .
set_trial_end           .        trialing  .         .         .         .         .
end_trial               .        active    .         .         .         .         .
renew                   .        .         active    past_due  .         .         .
change                  .        trialing  active    past_due  .         .         .
undo_change             .        trialing  active    past_due  paused    .         .
add_item                .        trialing  active    past_due  paused    .         .
payment_failed_for_good .        .         past_due  past_due  .         .         .
paid                    .        .         .         active    .         .         .
pause                   .        .         paused    paused    .         .         .
resume                  .        .         .         .         active    .         .
schedule_cancel         .        trialing  active    past_due  .         .         .
undo_cancel             .        trialing  active    past_due  paused    .         .
cancel                  .        cancelled cancelled cancelled cancelled .         .
expire                  .        expired   expired   expired   expired   .         .
reactivate              .        .         .         .         .         active    active
"""
INVOICES = """
move      -     draft           awaiting_number open          paid void uncollectible
draft     draft .               .               .             .    .    .
discard   .     draft           .               .             .    .    .
finalise  .     open            .               .             .    .    .
queue     .     awaiting_number .               .             .    .    .
number    .     .               open            .             .    .    .
pay       .     .               .               paid          .    .    paid
credit    .     .               .               open          paid .    uncollectible
refund    .     .               .               .             paid .    .
resend    .     .               .               open          paid .    uncollectible
void      .     .               .               void          .    .    void
write_off .     .               .               uncollectible .    .    .
"""


def pairs(life: Life[Any], table: str) -> list[Any]:
    """(life, move, state before, state after; None where the move is impossible)"""
    [head, *rows] = [line.split() for line in table.strip().splitlines()]
    return [
        pytest.param(life, row[0], None if state == "-" else state, None if after == "." else after)
        for row in rows
        for state, after in zip(head[1:], row[1:], strict=True)
    ]


EVERY_PAIR = pairs(SUBSCRIPTION, SUBSCRIPTIONS) + pairs(INVOICE, INVOICES)
LIVES: list[Life[Any]] = [SUBSCRIPTION, INVOICE]


@pytest.mark.parametrize(("life", "name", "state", "after"), EVERY_PAIR)
def test_a_move_leads_where_it_should_or_is_refused(
    life: Life[Any], name: str, state: str | None, after: str | None
) -> None:
    assert (name in possible(life, state)) == (after is not None)
    if after is not None:
        assert move(life, state, name) == after
        return
    with pytest.raises(MoveImpossible) as caught:
        move(life, state, name)
    assert caught.value.extra == {"state": state or ""}


@pytest.mark.parametrize(("life", "kind"), [(SUBSCRIPTION, Status), (INVOICE, InvoiceStatus)])
def test_every_state_and_move_is_tried(life: Life[Any], kind: Any) -> None:
    tried = {(name, state) for of, name, state, _ in (pair.values for pair in EVERY_PAIR) if of is life}
    assert tried == {(name, state) for name in life.moves for state in (None, *get_args(kind))}
    assert tuple(life.states) == get_args(kind)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.noun)
def test_every_state_can_be_reached(life: Life[Any]) -> None:
    reached: set[str | None] = {None}
    for _ in life.states:
        reached |= {move(life, state, name) for state in reached for name in possible(life, state)}
    assert reached == {None, *life.states}


def test_every_subscription_that_lives_can_end_and_every_ended_one_return() -> None:
    assert {*LIVING, *ENDED} == set(get_args(Status))
    assert set(RUNNING) < set(LIVING)
    assert all({"cancel", "expire"} <= set(possible(SUBSCRIPTION, state)) for state in LIVING)
    assert all(possible(SUBSCRIPTION, state) == ["reactivate"] for state in ENDED)


@pytest.mark.parametrize(
    ("life", "state", "name", "sentence"),
    [
        (
            *(SUBSCRIPTION, "cancelled", "pause"),
            "This subscription is cancelled, which does not allow pause; it allows reactivate",
        ),
        (
            *(SUBSCRIPTION, "paused", "change"),
            (
                "This subscription is paused, which does not allow change; "
                "it allows undo_change, add_item, resume, undo_cancel, cancel"
            ),
        ),
        (INVOICE, "void", "pay", "This invoice is void, which does not allow pay; it allows nothing more"),
        (INVOICE, "paid", "void", "This invoice is paid, which does not allow void; it allows credit, refund, resend"),
        (INVOICE, None, "pay", "This invoice is not there yet, which does not allow pay; it allows nothing more"),
    ],
)
def test_a_refusal_says_what_is_possible_instead(life: Life[Any], state: str | None, name: str, sentence: str) -> None:
    with pytest.raises(MoveImpossible) as caught:
        move(life, state, name)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.noun)
def test_the_page_has_every_move_in_its_table_and_its_diagram(life: Life[Any]) -> None:
    """A move that changes nothing has no arrow."""
    drawing, _, table = section(life).partition("| move |")
    rows = {row.split("`")[1]: row.split(" | ") for row in table.splitlines()[2:] if row}
    assert list(rows) == list(life.moves)
    assert [name for name, row in rows.items() if row[4] != f"{life.moves[name].meaning} |"] == []
    for of, name, state, after in (pair.values for pair in EVERY_PAIR):
        if of is life:
            assert (f"`{state}`" in rows[name][1]) == (state is not None and after is not None)
            assert (f"    {state or '[*]'} --> {after}: {name}\n" in drawing) == (after not in (None, state))


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.noun)
def test_the_page_says_what_each_state_means(life: Life[Any]) -> None:
    part = section(life)
    assert diagram(life) in part
    assert [state for state, meaning in life.states.items() if f"| `{state}` | {meaning} |\n" not in part] == []


def section(life: Life[Any]) -> str:
    page = (ROOT / "docs/subscriptions.md").read_text("utf-8")
    return page.partition(f"## {life.noun.capitalize()}\n")[2].partition("\n## ")[0]
