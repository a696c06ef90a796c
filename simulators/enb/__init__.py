"""The eNB: base station of LTE (TS 36.300, 36.331, 36.413, 36.423)."""
