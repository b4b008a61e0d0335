"""VeloFlux: the back end of a SaaS business, complete, on one Redis."""
