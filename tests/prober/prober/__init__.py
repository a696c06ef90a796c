"""A node that asks gateways for sessions."""
