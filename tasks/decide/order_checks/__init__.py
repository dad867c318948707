"""What keeps an order from PRIMA, or is to be looked at: one file for each kind of check. Pure."""
