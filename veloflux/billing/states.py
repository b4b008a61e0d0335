"""What a subscription, an invoice and its fiscal document can be, and every move between these states: a table each.

docs/subscriptions.md is made from the tables. What else a move asks for (that a cancellation is scheduled before it is
undone, say) its use case checks.
"""

from typing import Generic, Literal, NamedTuple, TypeVar

from veloflux.errors import MoveImpossible

Status = Literal["trialing", "active", "past_due", "paused", "cancelled", "expired"]
InvoiceStatus = Literal["draft", "awaiting_number", "open", "paid", "void", "uncollectible"]
FiscalStatus = Literal["waiting", "processing", "issued", "rejected", "failed", "cancelling", "cancelled"]
By = Literal["request", "time", "payment", "answer"]
S = TypeVar("S", bound=str)


class Move(NamedTuple, Generic[S]):
    """From one of the states in `origins` (none: it begins so) to another; without `to` the state stays.

    `by` is what moves it: a request of somebody, time that comes, a payment that comes or does not, or the answer of a
    provider.
    """

    origins: tuple[S, ...]
    to: S | None
    by: By
    meaning: str


class Life(NamedTuple, Generic[S]):
    """All that can become of something: its states and its moves, each with what it means."""

    noun: str
    states: dict[S, str]
    moves: dict[str, Move[S]]


RUNNING: tuple[Status, ...] = ("trialing", "active", "past_due")
"""A period runs: usage belongs to it, and a change is prorated within it."""
LIVING: tuple[Status, ...] = (*RUNNING, "paused")
ENDED: tuple[Status, ...] = ("cancelled", "expired")

SUBSCRIPTION: Life[Status] = Life(
    "subscription",
    {
        "trialing": "Its first days, which cost nothing",
        "active": "Its periods are billed",
        "past_due": "As active, but an invoice could not be collected",
        "paused": "Nothing is billed until it resumes",
        "cancelled": "Somebody ended it",
        "expired": "It ended by itself",
    },
    {
        "start": Move((), "active", "request", "It begins, and its first period is billed"),
        "start_trial": Move((), "trialing", "request", "It begins with days that cost nothing"),
        "set_trial_end": Move(("trialing",), None, "request", "The trial ends later, or earlier"),
        "end_trial": Move(("trialing",), "active", "time", "The trial is over, and the first period is billed"),
        "renew": Move(("active", "past_due"), None, "time", "A period ends and the next one begins"),
        "change": Move(RUNNING, None, "request", "Another plan, quantity or add-on: now, or when the period ends"),
        "undo_change": Move(LIVING, None, "request", "What would change when the period ends stays"),
        "add_item": Move(LIVING, None, "request", "A one-off item or a coupon comes to the next invoice"),
        "payment_failed_for_good": Move(
            ("active", "past_due"), "past_due", "payment", "All tries to collect an invoice failed, and grace is over"
        ),
        "paid": Move(("past_due",), "active", "payment", "Nothing is overdue any more"),
        "pause": Move(("active", "past_due"), "paused", "request", "No period is billed until it resumes"),
        "resume": Move(("paused",), "active", "request", "Periods are billed again"),
        "schedule_cancel": Move(RUNNING, None, "request", "It will be cancelled when the period ends"),
        "undo_cancel": Move(LIVING, None, "request", "It will not be cancelled"),
        "cancel": Move(LIVING, "cancelled", "request", "It ends because somebody wants it: now, or as scheduled"),
        "expire": Move(LIVING, "expired", "time", "It ends by itself: as agreed, or because nobody paid"),
        "reactivate": Move(ENDED, "active", "request", "It returns, with a new period"),
    },
)

INVOICE: Life[InvoiceStatus] = Life(
    "invoice",
    {
        "draft": "It still grows",
        "awaiting_number": "It is final, and gets its number next",
        "open": "It is final, and to be paid",
        "paid": "Nothing is due any more",
        "void": "It does not hold",
        "uncollectible": "It holds, but nobody is expected to pay it",
    },
    {
        "draft": Move((), "draft", "time", "It is made; what comes late is still added"),
        "discard": Move(("draft",), None, "time", "There was nothing to bill: it is taken away, without a number"),
        "finalise": Move(("draft",), "open", "time", "It is final, with the next number of the tenant"),
        "queue": Move(("draft",), "awaiting_number", "time", "It is final, and waits for a number of the operator"),
        "number": Move(("awaiting_number",), "open", "time", "It has the next number of the operator"),
        "pay": Move(("open", "uncollectible"), "paid", "payment", "Nothing is due any more"),
        "credit": Move(("open", "paid", "uncollectible"), None, "request", "A credit note takes back some of it"),
        "refund": Move(("paid",), None, "request", "Money goes back, with a refund note"),
        "resend": Move(("open", "paid", "uncollectible"), None, "request", "Its mail is sent again"),
        "void": Move(("open", "uncollectible"), "void", "request", "It was wrong: nothing of it is due"),
        "write_off": Move(("open",), "uncollectible", "request", "Nobody will pay it: it is a bad debt"),
    },
)

UNDER_WAY: tuple[FiscalStatus, ...] = ("waiting", "processing", "cancelling")
"""The provider is to be asked about it."""
ISSUING: tuple[FiscalStatus, ...] = ("waiting", "processing")

FISCAL: Life[FiscalStatus] = Life(
    "fiscal document",
    {
        "waiting": "It is to be issued",
        "processing": "The provider has it, and has not answered yet",
        "issued": "It has its number",
        "rejected": "The provider refused it: the record or the catalogue is to be corrected",
        "failed": "Nobody answered for days",
        "cancelling": "It is to be cancelled",
        "cancelled": "It does not hold, or never came to be",
    },
    {
        "ask": Move((), "waiting", "time", "Its invoice has its number"),
        "process": Move(("waiting",), "processing", "answer", "The provider takes its time"),
        "issue": Move(ISSUING, "issued", "answer", "The provider gave it its number"),
        "reject": Move(ISSUING, "rejected", "answer", "The provider refused it"),
        "lose": Move(("processing",), "waiting", "answer", "The provider does not know it any more"),
        "wait": Move(UNDER_WAY, None, "time", "There is no answer; it is asked again, after a longer pause"),
        "give_up": Move(UNDER_WAY, "failed", "time", "There was no answer for days"),
        "retry": Move(("rejected", "failed"), "waiting", "request", "It is to be issued after all"),
        "cancel": Move(
            (*ISSUING, "issued", "rejected", "failed"),
            "cancelling",
            "request",
            "Somebody wants it cancelled, or its invoice is void or credited whole",
        ),
        "find": Move(("cancelling",), None, "answer", "It was issued, and nobody had heard; now it can be cancelled"),
        "confirm": Move(UNDER_WAY, "cancelled", "answer", "The provider cancelled it, or never issued it"),
        "refuse": Move(("cancelling",), "issued", "answer", "The provider does not cancel it any more"),
    },
)


def move(life: Life[S], state: S | None, name: str) -> S:
    """The state after a move; None is the state of what does not exist yet.

    >>> move(SUBSCRIPTION, None, "start"), move(SUBSCRIPTION, "active", "pause"), move(INVOICE, "open", "pay")
    ('active', 'paused', 'paid')

    :raises MoveImpossible: this state does not allow it; `extra["state"]` says which one it is.
    """
    found = life.moves[name]
    if not _fits(found, state):
        raise MoveImpossible(_refusal(life, state, name), state=state or "")
    after = found.to or state
    assert after
    return after


def possible(life: Life[S], state: S | None) -> list[str]:
    """The moves that a state allows, in the order of the table.

    >>> possible(SUBSCRIPTION, "cancelled"), possible(INVOICE, "void")
    (['reactivate'], [])
    """
    return [name for name, found in life.moves.items() if _fits(found, state)]


def diagram(life: Life[S]) -> str:
    """The moves that lead from one state to another, as Mermaid draws them.

    >>> moves = {"light": Move((), "on", "request", ""), "burn": Move(("on",), None, "time", "")}
    >>> print(diagram(Life("lamp", {"on": "It burns"}, moves)))
    stateDiagram-v2
        [*] --> on: light
    """
    arrows = [
        f"    {origin} --> {found.to}: {name}"
        for name, found in life.moves.items()
        for origin in found.origins or ("[*]",)
        if found.to and found.to != origin
    ]
    return "\n".join(["stateDiagram-v2", *arrows])


def _fits(found: Move[S], state: S | None) -> bool:
    return state in found.origins if found.origins else state is None


def _refusal(life: Life[S], state: S | None, name: str) -> str:
    """Names, of what is possible instead, what people can ask for."""
    asked = [other for other in possible(life, state) if life.moves[other].by == "request"]
    allowed = ", ".join(asked) or "nothing more"
    return f"This {life.noun} is {state or 'not there yet'}, which does not allow {name}; it allows {allowed}"
