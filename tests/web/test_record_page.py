"""The form of a tenant's record, on the page of its settings."""

from tests import cast
from tests.web.test_pages import browser, field, token_of
from veloflux.context import Context


async def test_the_record_is_written_by_its_form_which_keeps_what_was_typed(web: str, one_ctx: Context) -> None:
    await cast.assemble(one_ctx)
    typed = {"legal_name": "Acme Ltda.", "tax_id": "11222333000181", "country": "BR"}
    async with browser(web, await token_of(one_ctx, "alice")) as alice:
        wrong = await alice.post("/console/t/acme/record", data=typed | {"postal_code": "123"})
        assert 'aria-invalid="true"' in field(wrong.text, "postal_code")
        assert 'value="Acme Ltda."' in field(wrong.text, "legal_name")
        done = await alice.post("/console/t/acme/record", data=typed)
        assert done.headers["location"] == "/console/t/acme/settings"
        page = (await alice.get("/console/t/acme/settings")).text
        assert 'value="11.222.333/0001-81"' in field(page, "tax_id")
    async with browser(web, await token_of(one_ctx, "bob")) as bob:
        assert "11.222.333" not in (await bob.get("/console/t/acme/settings")).text
