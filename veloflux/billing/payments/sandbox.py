"""A provider of payments for sandbox tenants: it moves no money, and behaves as the real ones do.

How, the tenant's record says in its metadata, by the name `payments`: `succeeds` (also where nothing is said),
`refuses`, `slow` (it knows when it is asked for the third time), or `loses_answer` (it charges, and the answer is
lost). Which of these a charge meets is settled when it is first asked for, and stays.
"""

from typing import Literal, get_args

from veloflux.billing import store
from veloflux.db.client import Db
from veloflux.kit.money import share
from veloflux.kit.payments import Answer, AnswerLost, Charged, Pending, Refused
from veloflux.tenants import metadata_of

Behaviour = Literal["succeeds", "refuses", "slow", "loses_answer"]
SLOW = 3


class SandboxPayments:
    """See `veloflux.kit.payments.PaymentProvider`."""

    name = "sandbox"

    def __init__(self, db: Db) -> None:
        self._db = db

    async def charge(self, tenant: str, id_: str, invoice: str, amount: int, currency: str) -> Answer:
        """As the port has it; it keeps 2.9 % of what it charges."""
        wanted = (await metadata_of(self._db, tenant)).get("payments", "")
        meets = wanted if wanted in get_args(Behaviour) else "succeeds"
        meets, asked = await store.ask_sandbox(self._db, tenant, id_, f"{meets} {amount} {currency}")
        behaviour, charged, of = meets.split(" ")
        if behaviour == "refuses":
            return Refused(reason="The sandbox refuses, as the tenant's metadata says")
        if behaviour == "slow" and asked < SLOW:
            return Pending()
        if behaviour == "loses_answer" and asked == 1:
            raise AnswerLost(f"The answer to {id_} is lost")
        return Charged(amount=int(charged), currency=of, fee=share(int(charged), 29, 1000), reference=f"sandbox_{id_}")
