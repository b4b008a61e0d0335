"""A tenant's prepaid credit."""
