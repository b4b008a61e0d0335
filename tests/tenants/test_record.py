"""The rest of a tenant's record."""

import asyncio
import doctest

import pytest

from tests import cast
from tests.whole_database import keys_holding
from veloflux import tenants
from veloflux.context import Context
from veloflux.db import keys, streams
from veloflux.errors import InputInvalid, TenantReadOnly
from veloflux.tenants import RecordChange, record_fields
from veloflux.transaction import Transaction
from veloflux.worker import ON_EVENT

WHOLE = RecordChange(
    legal_name="Acme Tecnologia Ltda.",
    tax_id="12.ABC.345/01DE-35",
    billing_email="Finance@Acme.example",
    postal_code="01310-100",
    street="Avenida Paulista",
    number="1578",
    complement="Sala 12",
    district="Bela Vista",
    city="São Paulo",
    state="sp",
    industry="Software",
    region="Sudeste",
    metadata={"crm": "42"},
)


@pytest.fixture
async def acme(one_ctx: Context) -> Context:
    scene = await cast.assemble(one_ctx)
    return await cast.within(scene.alice, scene.acme)


async def test_what_is_written_is_kept_in_one_way_and_what_is_not_named_stays(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    acme = await cast.within(scene.alice, scene.acme)
    assert (await tenants.read_record(acme)).legal_name == ""
    written = await tenants.change_record(acme, WHOLE)
    assert written == await tenants.read_record(acme)
    assert (written.tax_id, written.postal_code, written.state) == ("12ABC34501DE35", "01310100", "SP")
    changed = await tenants.change_record(acme, RecordChange(city="Recife", state="PE", complement=""))
    assert (changed.city, changed.complement, changed.street) == ("Recife", "", "Avenida Paulista")
    assert changed.metadata == {"crm": "42"}
    globex = await cast.within(scene.carol, scene.globex)
    assert (await tenants.read_record(globex)).legal_name == ""


@pytest.mark.parametrize("valid", ["11.222.333/0001-81", "11222333000181", "12.abc.345/01de-35", "529.982.247-25", ""])
async def test_a_tax_id_is_a_cnpj_with_or_without_letters_or_a_cpf(acme: Context, valid: str) -> None:
    kept = (await tenants.change_record(acme, RecordChange(tax_id=valid))).tax_id
    assert kept == "".join(character for character in valid.upper() if character.isalnum())


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("tax_id", "11.222.333/0001-82"),
        ("tax_id", "12.ABC.345/01DE-36"),
        ("tax_id", "529.982.247-26"),
        ("tax_id", "111.111.111-11"),
        ("tax_id", "١٢٣٤٥٦٧٨٩٠١"),
        ("tax_id", "123"),
        ("billing_email", "nobody"),
        ("postal_code", "0131-100"),
        ("postal_code", "٠١٣١٠١٠٠"),
        ("state", "XX"),
        ("country", "Brasil"),
        ("legal_name", "x" * 201),
        ("street", "a\u202eb"),
    ],
)
async def test_what_cannot_be_is_refused_beside_its_field_and_nothing_is_written(
    acme: Context, field: str, wrong: str
) -> None:
    with pytest.raises(InputInvalid) as refused:
        await tenants.change_record(acme, RecordChange(**{field: wrong}))  # type: ignore[arg-type]
    assert refused.value.extra["field"] == field
    assert await acme.db.call("EXISTS", keys.tenant_record(acme.tenant)) == 0


@pytest.mark.parametrize("metadata", [{str(n): "" for n in range(51)}, {"": "x"}, {"x" * 41: ""}, {"x": "y" * 501}])
async def test_metadata_is_bounded(acme: Context, metadata: dict[str, str]) -> None:
    with pytest.raises(InputInvalid):
        await tenants.change_record(acme, RecordChange(metadata=metadata))


async def test_elsewhere_codes_and_states_are_as_they_are_written_there(acme: Context) -> None:
    abroad = await tenants.change_record(
        acme, RecordChange(country="gb", postal_code="sw1a 1aa", state="Greater London")
    )
    assert (abroad.country, abroad.postal_code, abroad.state) == ("GB", "SW1A 1AA", "Greater London")
    with pytest.raises(InputInvalid):
        await tenants.change_record(acme, RecordChange(country="BR"))


async def test_two_who_change_it_at_once_both_count(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    acme = await cast.within(scene.alice, scene.acme)
    changes = (RecordChange(city="Recife"), RecordChange(industry="Software"))
    await asyncio.gather(*(tenants.change_record(acme, one) for one in changes))
    record = await tenants.read_record(acme)
    assert (record.city, record.industry) == ("Recife", "Software")


async def test_the_same_again_writes_nothing(acme: Context) -> None:
    first = await tenants.change_record(acme, WHOLE)
    assert await tenants.change_record(acme, WHOLE) == first
    said = [event.name for event in await streams.after(acme.db, acme.tenant, "", 100)]
    assert said.count("tenant.record_changed") == 1


async def test_what_may_be_a_persons_lies_in_the_record_alone_and_is_sealed_in_the_trail(acme: Context) -> None:
    await tenants.change_record(acme, WHOLE)
    for planted in ("12ABC34501DE35", "Avenida Paulista", "Finance@acme.example", "Acme Tecnologia"):
        assert await keys_holding(acme.db, planted) == {keys.tenant_record(acme.tenant)}
    *_, event = await streams.after(acme.db, acme.tenant, "", 100)
    [changes] = event.changes.values()
    assert changes["tax_id"][2] == "sealed"
    assert [name for name, shown in changes.items() if shown[2:] != ["sealed"]] == []


async def test_an_archived_tenants_record_is_not_changed(acme: Context) -> None:
    await tenants.archive_tenant(acme)
    with pytest.raises(TenantReadOnly):
        await tenants.change_record(acme, WHOLE)


async def test_a_deleted_tenants_record_and_its_key_are_gone(acme: Context) -> None:
    record = await tenants.change_record(acme, WHOLE)
    *_, event = await streams.after(acme.db, acme.tenant, "", 100)
    [_, _, remove, *_] = ON_EVENT["tenant.deleted"]
    await remove(acme, event, Transaction(acme, acme.tenant))  # type: ignore[operator]
    assert await keys_holding(acme.db, "Avenida Paulista") == set()
    assert await acme.db.call("EXISTS", keys.data_key(acme.tenant, record.id)) == 0


def test_the_worked_examples_hold() -> None:
    outcome = doctest.testmod(record_fields)
    assert outcome.attempted > 0
    assert outcome.failed == 0
