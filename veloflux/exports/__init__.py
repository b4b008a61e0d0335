"""Data taken out of VeloFlux, streamed: the same bytes whoever asks."""

from veloflux.exports.formats import FORMATS, Format, UsageRow
from veloflux.exports.usage import export_usage, usage_rows

__all__ = ["FORMATS", "Format", "UsageRow", "export_usage", "usage_rows"]
