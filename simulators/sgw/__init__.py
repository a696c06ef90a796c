"""The serving gateway: bearers between eNBs and PGWs, and who is to be paged (TS 23.401 4.4.3.2)."""
