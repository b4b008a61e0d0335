"""The fake provider of fiscal documents behaves as the cities' do."""

import asyncio
import re

import pytest
from msgspec.structs import replace

from tests.billing.brazil import CNPJ, DECLARATION
from tests.customers import DAY, NOON
from veloflux.billing.fiscal.fake import FiscalFake, Habits
from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.errors import FiscalProviderAway
from veloflux.kit.fiscal import Accepted, Cancelled, Declaration, Party, Processing, Rejected

REASON = "Emitida em duplicidade"


async def fake(db: Db, processing: int = 0, days_to_cancel: int = 30) -> FiscalFake:
    made = FiscalFake(db)
    await made.behave(Habits(processing=processing, days_to_cancel=days_to_cancel))
    return made


async def test_it_takes_its_time_and_what_it_does_not_know_it_says(db: Db) -> None:
    city = await fake(db, processing=2)
    assert await city.status("fis_1") is None
    assert await city.issue("fis_1", DECLARATION) == Processing()
    with pytest.raises(FiscalProviderAway):
        await city.xml("fis_1")
    assert [await city.status("fis_1"), await city.status("fis_1")] == [Processing(), Processing()]
    accepted = await city.status("fis_1")
    assert isinstance(accepted, Accepted)
    assert accepted.number == "1"
    assert accepted.verification.encode() in await city.xml("fis_1")


async def test_numbers_are_in_a_row_and_the_same_for_the_same_id_in_any_process(db: Db) -> None:
    cities = [await fake(db), FiscalFake(db)]
    calls = [cities[n % 2].issue(f"fis_{n % 5}", DECLARATION) for n in range(20)]
    answers = await asyncio.gather(*calls)
    numbers = {n % 5: answer.number for n, answer in enumerate(answers) if isinstance(answer, Accepted)}
    assert sorted(numbers.values()) == ["1", "2", "3", "4", "5"]
    assert [answer for n, answer in enumerate(answers) if answer != answers[n % 5]] == []


@pytest.mark.parametrize(
    ("lacking", "code"),
    [
        (replace(DECLARATION, buyer=Party(name="Nobody")), "buyer_tax_id"),
        (replace(DECLARATION, seller=Party(name="Nobody")), "seller_tax_id"),
        (replace(DECLARATION, service=""), "service"),
        (replace(DECLARATION, currency="USD"), "currency"),
    ],
)
async def test_what_lacks_something_is_refused_and_may_come_again_with_it(
    one_db: Db, lacking: Declaration, code: str
) -> None:
    city = await fake(one_db, processing=1)
    assert await city.issue("fis_1", lacking) == Processing()
    assert await city.status("fis_1") == Processing()
    refused = await city.status("fis_1")
    assert isinstance(refused, Rejected)
    assert refused.code == code
    assert await city.issue("fis_1", DECLARATION) == Processing()
    assert await city.issue("fis_1", DECLARATION) == Processing()
    assert await city.status("fis_1") == Processing()
    assert isinstance(await city.status("fis_1"), Accepted)


async def test_it_cancels_once_for_a_reason_and_within_its_term(one_db: Db) -> None:
    city = await fake(one_db, days_to_cancel=5)

    async def refusal(id_: str, reason: str, at: int) -> str:
        answer = await city.cancel(id_, reason, at)
        assert isinstance(answer, Rejected)
        return answer.code

    assert await refusal("fis_1", REASON, NOON) == "not_issued"
    accepted = await city.issue("fis_1", DECLARATION)
    assert isinstance(accepted, Accepted)
    assert await refusal("fis_1", "too short", NOON) == "reason_too_short"
    assert await refusal("fis_1", REASON, NOON + 5 * DAY + 1) == "term_over"
    cancelled = Cancelled(accepted.number, accepted.verification)
    assert await city.cancel("fis_1", REASON, NOON + 5 * DAY) == cancelled
    assert await refusal("fis_1", REASON, NOON) == "already_cancelled"
    assert await city.status("fis_1") == cancelled
    assert await city.issue("fis_1", DECLARATION) == cancelled


async def test_away_it_does_nothing_and_silent_it_does_what_it_does_not_tell(one_db: Db) -> None:
    city = await fake(one_db)
    await city.behave(Habits(processing=0, faults=("away", "silent")))
    with pytest.raises(FiscalProviderAway):
        await city.issue("fis_1", DECLARATION)
    with pytest.raises(FiscalProviderAway):
        await city.issue("fis_2", DECLARATION)
    assert await city.status("fis_1") is None
    assert isinstance(await city.status("fis_2"), Accepted)


async def test_it_keeps_no_names(one_db: Db) -> None:
    await (await fake(one_db)).issue("fis_1", DECLARATION)
    kept = str(await one_db.call("HGETALL", keys.fiscal_fake("ten_0")))
    assert "fis_1" in kept
    assert [word for word in ("Acme", "Loja", CNPJ) if word in kept] == []


async def test_its_pdf_is_one(one_db: Db) -> None:
    city = await fake(one_db)
    await city.issue("fis_1", DECLARATION)
    pdf = await city.pdf("fis_1")
    places = [int(place) for place in re.findall(rb"^(\d{10}) 00000 n ", pdf, re.MULTILINE)]
    assert [pdf[place:].split(b" ")[0] for place in places] == [b"1", b"2", b"3", b"4", b"5"]
    table = re.search(rb"startxref\n(\d+)\n", pdf)
    assert table
    assert pdf[int(table[1]) :].startswith(b"xref\n0 6\n")
    drawn = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", pdf)
    assert drawn
    assert int(drawn[1]) == len(drawn[2])
