"""All people, and one person's page with what may be done to the account."""

from collections.abc import Awaitable
from typing import cast

from litestar import get, post

from veloflux import identity, tenants, users
from veloflux.context import PLATFORM
from veloflux.identity import Language
from veloflux.kit import i18n
from veloflux.web.console.page import Html, Page

HERE = "/console/users"


@get("/console/users", operation_id="console.users", platform="users:read")
async def list_users(page: Page, q: str = "", role: str = "", cursor: str = "") -> Html:
    return await _list(page, q[:254], role, cursor)


@post("/console/users", operation_id="console.users.create", platform="users:write")
async def create_user(page: Page) -> Html:
    form = page.form
    language = cast(Language, form["language"] if form["language"] in i18n.LANGUAGES else page.language)
    with page.keeping_form():
        made = await users.create_person(page.ctx, name=form["name"], email=form["email"], language=language)
        return page.go(f"{HERE}/{made.id}", done="users.create")
    return await _list(page)


@get("/console/users/{user:str}", operation_id="console.user", platform="users:read")
async def show_user(page: Page, user: str) -> Html:
    return await show_person(page, user)


@post("/console/users/{user:str}/rename", operation_id="console.users.rename", platform="users:write")
async def rename_user(page: Page, user: str) -> Html:
    return await _do(page, user, "users.rename", users.rename_person(page.ctx, user, page.form["name"]))


@post("/console/users/{user:str}/disable", operation_id="console.users.disable", platform="users:write")
async def disable_user(page: Page, user: str) -> Html:
    return await _do(page, user, "users.disable", users.disable_person(page.ctx, user))


@post("/console/users/{user:str}/enable", operation_id="console.users.enable", platform="users:write")
async def enable_user(page: Page, user: str) -> Html:
    return await _do(page, user, "users.enable", users.enable_person(page.ctx, user))


@post("/console/users/{user:str}/end-sessions", operation_id="console.users.end_sessions", platform="users:sign_out")
async def end_sessions(page: Page, user: str) -> Html:
    return await _do(page, user, "users.end_sessions", users.end_sessions(page.ctx, user))


@post("/console/users/{user:str}/remove-factors", operation_id="console.users.remove_factors", platform="users:write")
async def remove_factors(page: Page, user: str) -> Html:
    return await _do(page, user, "users.remove_factors", users.remove_factors(page.ctx, user))


@post("/console/users/{user:str}/delete", operation_id="console.users.delete", platform="users:write")
async def delete_user(page: Page, user: str) -> Html:
    with page.keeping_form():
        await users.delete_person(page.ctx, user)
        return page.go(HERE, done="users.delete")
    return await show_person(page, user)


async def _do(page: Page, user: str, done: str, change: Awaitable[object]) -> Html:
    with page.keeping_form():
        await change
        return page.go(f"{HERE}/{user}", done=done)
    return await show_person(page, user)


async def show_person(page: Page, user: str) -> Html:
    """A person's page, after a form on it that could not be done too."""
    return page.show(
        "user.html",
        at=f"{HERE}/{user}",
        person=await users.show_person(page.ctx, user),
        minutes=identity.MINUTES,
        minutes_max=identity.MINUTES_MAX,
    )


async def _list(page: Page, query: str = "", role: str = "", cursor: str = "") -> Html:
    found = await users.list_people(page.ctx, query=query, role=role, cursor=cursor)
    return page.show(
        "users.html",
        at=HERE if page.problem else "",
        rows=found.items,
        next=found.next,
        query=query,
        role=role,
        roles=tenants.roles_of(PLATFORM),
    )


ROUTES = (
    list_users,
    create_user,
    show_user,
    rename_user,
    disable_user,
    enable_user,
    end_sessions,
    remove_factors,
    delete_user,
)
