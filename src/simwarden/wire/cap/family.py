"""CAP, by which an SSP tells an SCP of calls, and the SCP orders what becomes of them; TCAP carries it."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family

CAP: Final = Family(
    name="cap",
    title="CAP",
    reading="simwarden.wire.cap.reading:Cap",
    place=88,
    causes=(Causes("simwarden.wire.cap.enums", "TS 29.078"), Causes("simwarden.wire.q850", "Q.850")),
    cause_fields=(CauseField("error_code", "CAP error"), CauseField("cause", "Q.850", range(16, 17))),
    exported=True,
    layers=frozenset({"camel"}),
)
