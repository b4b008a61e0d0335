"""Who changed what, when, from where: the trail of a tenant is its stream of events, and every change is in it.

- Nothing is written here: the trail is written with the changes themselves (veloflux.transaction).
- Personal values are sealed; they are shown as long as the data key of their person or invitation exists.
- A request looks at a bounded number of entries; a filter that fits few of them gives short pages with a cursor.
"""

from veloflux.audit.trail import Change, Entry, event_names, list_trail, whole_trail

__all__ = ["Change", "Entry", "event_names", "list_trail", "whole_trail"]
