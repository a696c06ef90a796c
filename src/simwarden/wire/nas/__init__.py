"""Non-access-stratum messages of EPS (TS 24.301): mobility management (EMM) and session management (ESM)."""
