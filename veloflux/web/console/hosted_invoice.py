"""The page of one invoice, for who pays it: no sign-in, found by its link alone, in the invoice's language."""

from litestar import Response, get

from veloflux import identity
from veloflux.billing import open_link
from veloflux.billing.invoices.api import PDF, download
from veloflux.billing.invoices.link import PATH
from veloflux.billing.printing.printed import printed
from veloflux.billing.printing.rendered import Rendered
from veloflux.web.console.page import Html, Page

UNSEEN = {"referrer-policy": "no-referrer", "x-robots-tag": "noindex, nofollow"}
"""The link is all that it takes: no other site and no search engine gets to know it."""


@get(f"{PATH}/{{token:str}}", operation_id="console.hosted_invoice", access="public")
async def invoice(page: Page, token: str) -> Html:
    document = await _open(page, token)
    page.language = document.language
    answer = page.show("hosted_invoice.html", document=document, pdf=f"{PATH}/{token}/pdf")
    answer.headers.update(UNSEEN)
    return answer


@get(f"{PATH}/{{token:str}}/pdf", operation_id="console.hosted_invoice_pdf", access="public", media_type=PDF)
async def invoice_pdf(page: Page, token: str) -> Response[bytes]:
    answer = download(await printed(await _open(page, token)))
    answer.headers.update(UNSEEN)
    return answer


async def _open(page: Page, token: str) -> Rendered:
    """The invoice of a link; an address asks only so often."""
    await identity.admit_address(page.ctx.parts, page.ctx.actor.address)
    return await open_link(page.ctx, token)


ROUTES = (invoice, invoice_pdf)
