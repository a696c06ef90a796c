"""The procedures of S6a by the clauses of TS 29.272 5.2."""
