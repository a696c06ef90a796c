"""Who may serve a card's calls: phases of CAMEL, voice that is off, known nodes, and APNs that lead past it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.policy.camel import (
    O_CSI,
    T_CSI,
    VT_CSI,
    common_phase,
    judge_camel,
    judge_ims,
    judge_node,
    judge_voice,
    leads_to_ims,
)

PHASES = st.sets(st.integers(1, 4))


@pytest.mark.parametrize(
    ("csi", "phases", "supported", "offered", "found"),
    [
        (O_CSI, (2, 3, 4), (1, 2, 3, 4), (0, 2, 3), 4),
        (O_CSI, (2, 3, 4), (1, 2, 3, 4), (2,), 3),
        (O_CSI, (2, 3, 4), (1, 2), (), 2),
        (O_CSI, (2, 3, 4), (1,), (), 0),
        (O_CSI, (2, 3, 4), (), (), 0),
        (O_CSI, (4,), (1, 2, 3), (), 0),
        (O_CSI, (1,), (1, 2), (), 1),
        (T_CSI, (4,), (4,), (3,), 4),
        (T_CSI, (4,), (4,), (0,), 0),
        (VT_CSI, (2, 3, 4), (1, 2), (), 0),
        (VT_CSI, (2, 3, 4), (1, 2, 3), (), 3),
        (VT_CSI, (1, 2), (1, 2, 3, 4), (2,), 0),
    ],
)
def test_a_csi_goes_in_the_highest_phase_that_both_have(
    csi: str, phases: tuple[int, ...], supported: tuple[int, ...], offered: tuple[int, ...], found: int
) -> None:
    assert common_phase(csi, phases, supported, offered) == found


@given(st.sets(st.sampled_from([O_CSI, T_CSI, VT_CSI])), PHASES, PHASES, st.sets(st.integers(0, 6)))
def test_who_lacks_a_phase_for_one_csi_is_refused(
    csis: set[str], phases: set[int], supported: set[int], offered: set[int]
) -> None:
    ruling = judge_camel(csis=csis, phases=phases, supported=supported, offered=offered)
    found = {each: common_phase(each, phases, supported, offered) for each in csis}
    assert ruling.admitted == all(found.values())
    assert all(each in phases & supported for each in found.values() if each)


def test_voice_is_off_unless_it_was_opened() -> None:
    assert judge_voice(opened=True).admitted
    assert not judge_voice(opened=False).admitted


@pytest.mark.parametrize(("number", "admitted"), [("861", True), ("862", False), ("863", False)])
def test_a_node_has_its_number_and_its_place(number: str, admitted: bool) -> None:  # noqa: FBT001 - parametrized
    assert judge_node(number=number, listed={"861": True, "862": False}).admitted is admitted


@pytest.mark.parametrize(
    ("apn", "leads"),
    [
        ("ims", True),
        ("IMS", True),
        ("ims.mnc001.mcc001.gprs", True),
        ("*", True),
        ("iot", False),
        ("aims", False),
        ("ims.example", False),
        ("sos", False),
    ],
)
def test_apns_that_lead_to_ims(apn: str, leads: bool) -> None:  # noqa: FBT001 - parametrized
    assert leads_to_ims(apn) is leads
    for opened, directed in ((False, False), (False, True), (True, True)):
        assert judge_ims(apns=["iot", apn], opened=opened, directed=directed).admitted is not leads
    assert judge_ims(apns=["iot", apn], opened=True, directed=False).admitted
