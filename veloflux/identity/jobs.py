"""The e-mails to people about their accounts, and the end of a registration that nobody confirmed."""

from pathlib import Path

from veloflux.context import Context
from veloflux.db import keys, names
from veloflux.db.jobs import Job
from veloflux.identity import links, store
from veloflux.identity.model import Language
from veloflux.identity.reset_password import counts
from veloflux.notifications import compose, delete_message
from veloflux.transaction import Transaction

SEND_VERIFICATION = "send_verification"
SEND_RESET_LINK = "send_reset_link"
SEND_NOTICE = "send_notice"
FORGET_REGISTRATION = "forget_registration"
FREE_EMAIL = "free_email"
MAILS = Path(__file__).parent / "mails"


async def send_verification(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Write to who signed up; not any more once the link was used or is over."""
    registration = await store.find_registration(ctx.db, job.owner)
    if registration:
        token = links.token_of(ctx.parts.secrets, "verify", job.owner, registration.id)
        link = page(ctx, f"verify/{token}")
        await send(ctx, job, registration.email, "verification", registration.language, link=link)


async def send_reset_link(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Write to who forgot the password, or has none yet; not any more once the link was used, voided, or is over."""
    user = await store.find_user(ctx.db, job.owner)
    link = await store.find_reset_link(ctx.db, job.owner, job.payload["link"])
    if user and link and counts(link, user):
        token = links.token_of(ctx.parts.secrets, "reset", user.id, link.id)
        mail = job.payload.get("mail", "password_reset")
        await send(ctx, job, user.email, mail, user.language, link=page(ctx, f"reset/{token}"))


async def send_notice(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Tell a person what happened to their account, and where to go if it was not them."""
    user = await store.find_user(ctx.db, job.owner)
    if user and user.status != "erased":
        pages = {"sign_in": "sign-in", "forgot_password": "forgot-password", "account": "account"}
        places = {name: page(ctx, path) for name, path in pages.items()}
        await send(ctx, job, user.email, job.payload["notice"], user.language, **places)


async def forget_registration(ctx: Context, job: Job, tx: Transaction) -> None:
    """Delete what is left of a registration, unless it has become a person."""
    if await store.find_user(ctx.db, job.owner):
        return
    tx.expect_absent(keys.user(job.owner))
    for key in (keys.registration, keys.events, keys.outbox):
        tx.delete(key(job.owner))
    tx.delete(keys.data_key(job.owner, job.payload["registration"]))


async def free_email(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Let others have an address that its person gave up."""
    await names.release(ctx.db, store.email_name(job.payload["digest"]), job.owner)


def page(ctx: Context, path: str) -> str:
    """The URL of a page of the console."""
    return f"{ctx.settings.console_url}/console/{path}"


async def send(ctx: Context, job: Job, to: str, mail: str, language: Language, **values: str) -> None:
    """Write to an address, in a language, what a template says of these values."""
    message = compose(ctx.settings, job.id, to=to, template=MAILS / f"{mail}.{language}.txt", **values)
    await ctx.parts.mailer.send(job.id, message)
    owner = await store.find_user(ctx.db, job.owner)
    if owner and owner.status == "erased":  # meanwhile, by who looked for messages before this one was there
        await delete_message(ctx, job.id)
