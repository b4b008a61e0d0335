"""How far an invoice is settled, as whoever changes that is told."""

import msgspec

from veloflux.billing.model import Invoice


class InvoiceStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How far an invoice is settled, in minor units: `due` is still to be paid, `credit` came from the wallet,
    `credited` is what credit notes settled; of what the tenant withholds, `unproven` waits for its proof."""

    id: str
    number: str
    status: str
    currency: str
    due: int
    paid: int
    credit: int
    credited: int
    unproven: int

    @classmethod
    def of(cls, invoice: Invoice) -> "InvoiceStanding":
        return cls(**{name: getattr(invoice, name) for name in cls.__struct_fields__})
