"""Passkeys in the console: signing in with one, adding, renaming and removing them."""

from litestar import post

from veloflux import identity
from veloflux.web.console import account, factors, places, second_factor
from veloflux.web.console.page import Html, Page


@post("/console/sign-in/passkey", operation_id="console.auth.passkey", access="public")
async def log_in(page: Page) -> Html:
    then = places.within_console(page.form["next"])
    with page.keeping_form():
        signed_in = await identity.log_in_by_passkey(page.ctx, second_factor.credential(page))
        if page.viewer:
            await identity.log_out(page.ctx)
        return page.enter(signed_in, then)
    return page.show("sign_in.html", at=places.sign_in(then), next=then, sign_up_open=True)


@post("/console/account/passkeys", operation_id="console.passkeys.create", access="person")
async def add(page: Page) -> Html:
    with page.keeping_form():
        codes = await identity.add_passkey(page.ctx, page.form["name"], second_factor.credential(page))
        return factors.shown(page, codes) if codes else page.go(account.HERE, done="passkeys.create")
    return await account.show(page)


@post("/console/account/passkeys/{passkey:str}/rename", operation_id="console.passkeys.rename", access="person")
async def rename(page: Page, passkey: str) -> Html:
    with page.keeping_form():
        await identity.rename_passkey(page.ctx, passkey, page.form["name"])
        return page.go(account.HERE, done="passkeys.rename")
    return await account.show(page)


@post("/console/account/passkeys/{passkey:str}/remove", operation_id="console.passkeys.remove", access="person")
async def remove(page: Page, passkey: str) -> Html:
    with page.keeping_form():
        await identity.remove_passkey(page.ctx, passkey)
        return page.go(account.HERE, done="passkeys.remove")
    return await account.show(page)


ROUTES = (log_in, add, rename, remove)
