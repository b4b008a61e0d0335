"""What VeloFlux knows of a person or tenant: to be taken along, and, of a person, to be erased.

- Both walk the registry of keys (`veloflux/db/keys.py`), where it stands what a key holds of whom, and its end.
- An export leaves secrets out, and shows what the trail has sealed.
- Of an erased person the id stays, and every entry of every trail; what was sealed with the person's key cannot be read
  any more. A tenant's end is `veloflux/tenants/life.py`.
"""

from veloflux.personal_data.erase import cancel_erasure, erase_person, request_erasure, request_own_erasure
from veloflux.personal_data.export import Record, export_own, export_person, export_tenant

__all__ = [
    "Record",
    "cancel_erasure",
    "erase_person",
    "export_own",
    "export_person",
    "export_tenant",
    "request_erasure",
    "request_own_erasure",
]
