"""TCAP, which SCCP carries, and whose components are operations of CAP or MAP."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family

TCAP: Final = Family(
    name="tcap",
    title="TCAP",
    reading="simwarden.wire.tcap.reading:Tcap",
    place=87,
    carries=("cap", "map"),
    causes=(Causes("simwarden.wire.tcap.enums", "Q.773"),),
    cause_fields=(CauseField("p_abort_cause", "TC P-ABORT"), CauseField("problem", "TC reject")),
    carriers=frozenset({"tc-begin", "tc-continue", "tc-end"}),
    exported=True,
    layers=frozenset({"tcap", "camel", "gsm_map"}),
)
