"""Whom an MME talks to: eNBs and devices, HSS and EIR, a platform."""
