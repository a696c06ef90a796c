"""The procedures of an eNB by the specifications' names: S1AP (TS 36.413 8), X2AP (TS 36.423 8), RRC (TS 36.331 5)."""
