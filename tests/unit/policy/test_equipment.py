"""The rulings on terminals and subscriptions: what is not known to be allowed is refused."""

from __future__ import annotations

import pytest

from simwarden.policy.access import judge_apn, judge_barring, judge_hss
from simwarden.policy.equipment import EquipmentAnswer, judge_equipment, judge_identified

IMEI = "869901000000017"


@pytest.mark.parametrize(
    ("answer", "admitted", "temporary"),
    [
        (EquipmentAnswer.ALLOWED, True, None),
        (EquipmentAnswer.TRACKED, True, None),
        (EquipmentAnswer.PROHIBITED, False, False),
        (EquipmentAnswer.UNKNOWN, False, False),
        (EquipmentAnswer.NO_VERDICT, False, True),
    ],
)
def test_equipment_by_the_registers_answer(answer: EquipmentAnswer, admitted: bool, temporary: bool | None) -> None:  # noqa: FBT001
    ruling = judge_equipment(answer=answer, imei=IMEI)
    assert (ruling.admitted, ruling.details.get("temporary")) == (admitted, temporary)
    assert ruling.details["seen"] == IMEI


def test_what_configuration_may_admit_and_what_not() -> None:
    def admits(answer: EquipmentAnswer) -> bool:
        return judge_equipment(answer=answer, imei=IMEI, admit_unknown=True, admit_without_verdict=True).admitted

    assert [answer for answer in EquipmentAnswer if not admits(answer)] == [EquipmentAnswer.PROHIBITED]
    assert (
        "set to admit"
        in judge_equipment(answer=EquipmentAnswer.NO_VERDICT, imei=IMEI, admit_without_verdict=True).reason
    )


def test_a_terminal_that_does_not_say_who_it_is() -> None:
    assert judge_identified(imei=IMEI).admitted
    refused = judge_identified(imei="")
    assert (refused.admitted, dict(refused.details)) == (False, {"seen": "", "temporary": False})
    assert judge_identified(imei="", admit_unidentified=True).admitted


@pytest.mark.parametrize("answer", [EquipmentAnswer.ALLOWED, EquipmentAnswer.PROHIBITED])
def test_a_verdict_that_was_kept_is_the_same_and_says_since_when(answer: EquipmentAnswer) -> None:
    now, kept = (judge_equipment(answer=answer, imei=IMEI, age=age) for age in (None, 7.25))
    assert (kept.admitted, kept.reason) == (now.admitted, f"{now.reason} (a verdict kept for 7.25 s)")
    assert kept.details == {**now.details, "kept": 7.25}
    assert "kept" not in now.details


def test_barring_and_the_registers_silence_are_temporary() -> None:
    assert judge_barring(barred=False).admitted
    assert judge_hss(reachable=True).admitted
    for ruling in (judge_barring(barred=True), judge_hss(reachable=False)):
        assert not ruling.admitted
        assert ruling.details["temporary"] is True
    said = [judge_hss(reachable=False, reason=reason).reason for reason in ("", "no answer in 6 s")]
    assert said == ["the HSS cannot be reached", "no answer in 6 s"]


@pytest.mark.parametrize(
    ("requested", "subscribed", "admitted"),
    [
        ("meter.example", ["meter.example"], True),
        ("METER.example", ["meter.example"], True),
        ("other.example", ["meter.example"], False),
        ("other.example", ["meter.example", "*"], True),
        ("meter.example", [], False),
        ("meter", ["meter.example"], False),
    ],
)
def test_apns(requested: str, subscribed: list[str], admitted: bool) -> None:  # noqa: FBT001
    assert judge_apn(requested=requested, subscribed=subscribed).admitted is admitted
