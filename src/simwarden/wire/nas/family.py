"""NAS, which radio and S1AP carry."""

from __future__ import annotations

from typing import Final

from simwarden.wire.family import CauseField, Causes, Family

NAS: Final = Family(
    name="nas",
    title="NAS",
    reading="simwarden.wire.nas.reading:Nas",
    place=30,
    carries=("ppsms",),
    causes=(Causes("simwarden.wire.nas.enums", "TS 24.301"),),
    cause_fields=(CauseField("emm_cause", "EMM"), CauseField("esm_cause", "ESM")),
    exported=True,
    deciphered="NAS messages are shown as before ciphering; their MACs are those of the wire",
    layers=frozenset({"nas-eps", "gsm_a.dtap", "gsm_a.rp", "gsm_sms", "gsm_sms_ud"}),
)
