"""The fields of a tenant's record: what each may hold, and its one way of being kept and shown."""

import re

from validate_docbr import CNPJ, CPF

from veloflux.errors import InputInvalid
from veloflux.kit.text import one_line

TEXTS = {
    "legal_name": ("The legal name", 200),
    "street": ("The street", 120),
    "number": ("The number", 20),
    "complement": ("The complement", 80),
    "district": ("The district", 80),
    "city": ("The city", 80),
    "industry": ("The industry", 80),
    "region": ("The region", 80),
}
"""Fields that are free text: how an error calls them, and their characters at most."""
BRAZIL = "BR"
STATES = frozenset(re.findall("..", "ACALAMAPBACEDFESGOMAMGMSMTPAPBPEPIPRRJRNRORRRSSCSESPTO"))
COUNTRY = re.compile(r"[A-Z]{2}")
POSTAL_CODE_MAX, STATE_MAX = 16, 40


def text(field: str, value: str) -> str:
    """A free text on one line; "" stays so.

    >>> text("city", "  São  Paulo "), text("city", "")
    ('São Paulo', '')

    :raises InputInvalid: too long, or not to be shown.
    """
    what, most = TEXTS[field]
    return one_line(value, what, most, field) if value.strip() else ""


def tax_id(value: str) -> str:
    """A CNPJ, with letters too, or a CPF, without its punctuation; "" stays so.

    >>> tax_id("12.abc.345/01de-35"), tax_id("529.982.247-25")
    ('12ABC34501DE35', '52998224725')

    :raises InputInvalid: neither, or its check digits are wrong.
    """
    bare = re.sub(r"[\s./-]", "", value).upper()
    if not bare or (bare.isascii() and _is_tax_id(bare)):
        return bare
    raise InputInvalid("This is no CNPJ or CPF; check its digits", field="tax_id")


def tax_id_shown(kept: str) -> str:
    """As people write it.

    >>> tax_id_shown("12ABC34501DE35"), tax_id_shown("52998224725"), tax_id_shown("")
    ('12.ABC.345/01DE-35', '529.982.247-25', '')
    """
    if not kept:
        return ""
    return str((CPF() if len(kept) == 11 else CNPJ()).mask(kept))


def country(value: str) -> str:
    """A country by its two letters of ISO 3166.

    >>> country(" br ")
    'BR'

    :raises InputInvalid: not two letters.
    """
    code = value.strip().upper()
    if code and not COUNTRY.fullmatch(code):
        raise InputInvalid("Write the country as two letters of ISO 3166, like BR", field="country")
    return code


def postal_code(value: str, country: str) -> str:
    """In Brazil a CEP, kept as eight digits; elsewhere as it is written.

    >>> postal_code("01310-100", "BR"), postal_code("sw1a  1aa", "GB")
    ('01310100', 'SW1A 1AA')

    :raises InputInvalid: not such a code.
    """
    if country == BRAZIL:
        bare = re.sub(r"[\s.-]", "", value)
        if bare and not re.fullmatch(r"[0-9]{8}", bare):
            raise InputInvalid("A CEP has eight digits", field="postal_code")
        return bare
    return one_line(value, "A postal code", POSTAL_CODE_MAX, "postal_code").upper() if value.strip() else ""


def postal_code_shown(kept: str, country: str) -> str:
    """As people write it.

    >>> postal_code_shown("01310100", "BR"), postal_code_shown("SW1A 1AA", "GB")
    ('01310-100', 'SW1A 1AA')
    """
    return f"{kept[:5]}-{kept[5:]}" if country == BRAZIL and kept else kept


def state(value: str, country: str) -> str:
    """In Brazil one of the 27 abbreviations; elsewhere as it is written.

    >>> state("sp", "BR"), state("Bavaria", "DE")
    ('SP', 'Bavaria')

    :raises InputInvalid: not such a state.
    """
    if country == BRAZIL:
        code = value.strip().upper()
        if code and code not in STATES:
            raise InputInvalid("A state of Brazil is written with its two letters, like SP", field="state")
        return code
    return one_line(value, "The state", STATE_MAX, "state") if value.strip() else ""


def _is_tax_id(bare: str) -> bool:
    if len(bare) == 11:
        return bare.isdigit() and CPF().validate(bare)
    return len(bare) == 14 and CNPJ().validate(bare)
