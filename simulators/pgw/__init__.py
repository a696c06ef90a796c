"""The PDN gateway: addresses for devices, and what of their packets passes (TS 23.401 4.4.3.3)."""
