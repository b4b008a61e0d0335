"""An e-mail from a template: its first line is the subject, the rest after a blank line the text."""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from veloflux.kit import clock
from veloflux.settings import Settings

if TYPE_CHECKING:
    from jinja2 import Template

SENDER = "VeloFlux"


def compose(settings: Settings, id_: str, to: str, template: Path, **values: object) -> EmailMessage:
    """A plain-text message (RFC 5322, UTF-8) to one address; `id_` makes its Message-ID."""
    subject, _, text = _template(template).render(values).partition("\n\n")
    host = _host(settings)
    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = Address(SENDER, "veloflux", host)
    local, _, domain = to.rpartition("@")
    message["To"] = Address(username=local, domain=domain)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(datetime.fromtimestamp(clock.now_ms() / 1000, UTC))
    message["Message-ID"] = f"<{id_}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.strip() + "\n", cte="8bit")
    return message


def _host(settings: Settings) -> str:
    """The console's domain; an address or a bare name cannot send."""
    host = urlsplit(settings.console_url).hostname or ""
    return host if "." in host and host.rpartition(".")[2].isalpha() else "localhost"


@cache
def _template(path: Path) -> "Template":
    from jinja2 import Environment, StrictUndefined

    return Environment(undefined=StrictUndefined, autoescape=False).from_string(path.read_text("utf-8"))  # noqa: S701
