"""What the running period costs so far, what it will, and what it may: alerts and caps."""
