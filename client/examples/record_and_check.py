"""Ask before the work, tell what was used after it."""

import os

from veloflux_client import VeloFlux

with VeloFlux(os.environ["VELOFLUX_URL"], os.environ["VELOFLUX_API_KEY"]) as client:
    decision = client.check("requests", cost=1, on_failure="open")
    if decision.allowed:
        client.events.record("http.request", data={"bytes": 512})
    print(f"allowed={decision.allowed} remaining={decision.remaining}")
