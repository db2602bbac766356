"""Replenishment without I/O: demand over the lead time, when and how much to order, and why."""
