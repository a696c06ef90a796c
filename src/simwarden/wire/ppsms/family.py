"""Short messages between a device and its MME (TS 24.011): CP, and RP inside it. NAS carries them."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family

PPSMS: Final = Family(
    name="ppsms",
    title="SMS CP, RP",
    reading="simwarden.wire.ppsms.reading:Ppsms",
    place=31,
    carries=("tpdu",),
    causes=(Causes("simwarden.wire.ppsms.enums", "TS 24.011"),),
    cause_fields=(CauseField("rp_cause", "RP"), CauseField("cp_cause", "CP")),
    carriers=frozenset({"cp-data"}),
    exported=True,
    layers=frozenset({"gsm_sms", "gsm_sms_ud", "gsm_a.rp", "gsm_a.dtap"}),
)
