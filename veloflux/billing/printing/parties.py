"""Who asks for money, and whom: as an invoice says it. Pure."""

from typing import NamedTuple

from veloflux.kit import i18n
from veloflux.kit.fiscal import Party
from veloflux.settings import Settings
from veloflux.tenants.record_fields import postal_code_shown, tax_id_shown

SELLER = "VeloFlux"


class Heading(NamedTuple):
    """A name, "" where nobody knows it any more, and the lines below it."""

    name: str
    lines: tuple[str, ...] = ()


def seller_of(settings: Settings, language: str) -> Heading:
    """Who the settings say that sells."""
    lines = (_tax_id(settings.seller_tax_id, language), *settings.seller_address.splitlines(), settings.seller_email)
    return Heading(settings.seller_name or SELLER, _said(lines))


def buyer_of(buyer: Party, language: str) -> Heading:
    """Whom an invoice is made out to.

    >>> buyer_of(Party(name="Acme", street="Rua A", number="1", city="Recife", state="PE", country="BR"), "en").lines
    ('Rua A, 1', 'Recife, PE', 'Brazil')
    """
    lines = (
        _tax_id(tax_id_shown(buyer.tax_id), language),
        _joined(buyer.street, buyer.number, buyer.complement),
        buyer.district,
        _joined(postal_code_shown(buyer.postal_code, buyer.country), buyer.city, buyer.state),
        i18n.country_name(buyer.country, language),
        buyer.email,
    )
    return Heading(buyer.name, _said(lines))


def _tax_id(id_: str, language: str) -> str:
    return i18n.translations(language).gettext("Tax id %(id)s") % {"id": id_} if id_ else ""


def _joined(*parts: str) -> str:
    return ", ".join(_said(parts))


def _said(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.strip() for text in texts if text.strip())
