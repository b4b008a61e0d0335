"""The API's reference, drawn from the OpenAPI document of this very server."""

from litestar import get

from veloflux.web import api_page, openapi
from veloflux.web.console.page import Html, Page

SCHEMA = "/api/schema"


@get("/console/api", operation_id="console.api", access="public")
async def reference(page: Page) -> Html:
    groups = api_page.groups_of(openapi.document(page.request.app)) if page.viewer else []
    return page.show("api.html", groups=groups, schema_url=SCHEMA)


ROUTES = (reference,)
