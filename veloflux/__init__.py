"""VeloFlux: the back end of a SaaS business, complete, on one Redis."""

__version__ = "0.1.0"
