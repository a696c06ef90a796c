"""The equipment identity register: what is allowed, prohibited and tracked (TS 22.016, TS 29.272 6)."""
