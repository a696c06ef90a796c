"""What becomes of a call about which the gsmSCF gives no orders (TS 23.078 4.3, Default Call Handling)."""

from __future__ import annotations

from simwarden.model.values import one_of
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells


@tells(handling=one_of("release", "continue"))
def judge_without_orders(*, releases: bool, reason: str) -> Ruling:
    """Rule on a call that has no orders, by what its CSI says for that; `reason` tells why there are none."""
    if releases:
        return Ruling.refuse(f"{reason}, and the default call handling is to release", handling="release")
    return Ruling.admit(f"{reason}, and the default call handling is to continue", handling="continue")
