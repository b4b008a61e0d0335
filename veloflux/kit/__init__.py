"""Pure building blocks: no I/O except the clock and the system's randomness, no Redis, no Context."""
