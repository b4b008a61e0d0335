"""What becomes of a subscription: it starts, changes, renews and ends, and what metering and limits learn of that."""
