"""Ask before the work, tell what was used after it; of one id, both count once."""

import os

from veloflux_client import VeloFlux

with VeloFlux(os.environ["VELOFLUX_URL"], os.environ["VELOFLUX_API_KEY"]) as client:
    decision = client.check("requests", cost=1, on_failure="open", timeout_s=5)
    if decision.allowed:
        client.events.record("http.request", id=decision.id, data={"bytes": 512})
    print(f"allowed={decision.allowed} remaining={decision.remaining}")
