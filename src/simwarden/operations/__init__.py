"""How elements are operated: management over HTTP, approvals, audit, events, and what cards are provisioned with."""
