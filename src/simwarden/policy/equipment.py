"""What a network does with a terminal, by what the EIR says of it (TS 22.016, TS 23.401 5.3.2.1)."""

from __future__ import annotations

import enum

from simwarden.model.values import IMEI, NUMBER, SWITCH
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells


class EquipmentAnswer(enum.Enum):
    """What became of a question to the EIR; the first three are its Equipment-Status by their lists."""

    ALLOWED = "allowed"
    PROHIBITED = "prohibited"
    TRACKED = "tracked"
    UNKNOWN = "unknown"
    """The EIR knows no such equipment."""
    NO_VERDICT = "no-verdict"
    """It could not be reached, or answered without saying anything of the equipment."""


@tells(seen=IMEI.or_none(), temporary=SWITCH, kept=NUMBER)
def judge_equipment(
    *,
    answer: EquipmentAnswer,
    imei: str,
    admit_unknown: bool = False,
    admit_without_verdict: bool = False,
    age: float | None = None,
) -> Ruling:
    """Rule on a terminal that was looked up. What is not known to be allowed is refused, unless it is said otherwise.

    `temporary` in the details says that asking again later may give another answer. `age` are the seconds for which the
    answer has been kept, None where the EIR was asked just now.
    """
    ruling = _judge_answer(answer, imei, admit_unknown=admit_unknown, admit_without_verdict=admit_without_verdict)
    if age is None:
        return ruling
    reason = f"{ruling.reason} (a verdict kept for {age:g} s)"
    return Ruling(ruling.admitted, reason, {**ruling.details, "kept": round(age, 3)})


def _judge_answer(answer: EquipmentAnswer, imei: str, *, admit_unknown: bool, admit_without_verdict: bool) -> Ruling:
    if answer is EquipmentAnswer.PROHIBITED:
        return Ruling.refuse("the EIR has the equipment on its prohibited list", seen=imei, temporary=False)
    if answer is EquipmentAnswer.UNKNOWN:
        reason = "the EIR does not know the equipment"
        return Ruling.admit(reason, seen=imei) if admit_unknown else Ruling.refuse(reason, seen=imei, temporary=False)
    if answer is EquipmentAnswer.NO_VERDICT:
        if admit_without_verdict:
            return Ruling.admit("the EIR gave no verdict, and the network is set to admit then", seen=imei)
        return Ruling.refuse("the EIR gave no verdict", seen=imei, temporary=True)
    return Ruling.admit(f"the EIR says {answer.value}", seen=imei)


@tells(seen=IMEI.or_none(), temporary=SWITCH)
def judge_identified(*, imei: str, admit_unidentified: bool = False) -> Ruling:
    """Rule on a terminal that was asked who it is; an empty `imei` means that it did not say."""
    if imei:
        return Ruling.admit("the terminal gave its identity", seen=imei)
    reason = "the terminal does not give its identity, so that no binding can be checked"
    return Ruling.admit(reason, seen="") if admit_unidentified else Ruling.refuse(reason, seen="", temporary=False)
