"""The arithmetic of billing: periods, proration, prices, discounts, taxes, totals. Pure functions, a file each."""
