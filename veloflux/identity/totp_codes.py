"""Which codes of an authenticator app are good: those of now and of one step around it, each once (RFC 6238, 5.2)."""

import re

import pyotp

from veloflux.kit import crypto

CODE = re.compile(r"[0-9]{6}")
STEP_MS = 30_000


def accepted(secret: str, code: str, now: int, last: int) -> int | None:
    """The number of the code, if it is of now (epoch ms) or one step around it, and later than the last one accepted.

    >>> accepted("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287082", 59_000, 0)
    1
    >>> accepted("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287082", 59_000, 1) is None
    True
    """
    if not CODE.fullmatch(code):
        return None
    app, present = pyotp.TOTP(secret), now // STEP_MS
    steps = [step for step in range(present - 1, present + 2) if crypto.equal(app.generate_otp(max(step, 0)), code)]
    return next((step for step in steps if step > last), None)
