"""What CAP, MAP and ISUP have in common: numbers, causes, elements of BER, phases; operations by the specification."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigtran_messages import CAPS, INITIAL_DP, MAPS

from simwarden.errors import PeerError
from simwarden.wire import ber, cap, isup, tbcd, tcap
from simwarden.wire import map as gsm_map
from simwarden.wire.asn1 import IMEI
from simwarden.wire.isup import GenericNumber, Number
from simwarden.wire.q850 import Cause, decode_cause, encode_cause
from simwarden.wire.tcap.user import OperationClass

DIGITS = st.text("0123456789abc", max_size=30)


@given(
    st.builds(
        Number, DIGITS, st.integers(0, 127), st.integers(0, 7), st.booleans(), st.integers(0, 3), st.integers(0, 3)
    )
)
def test_numbers_of_isup(number: Number) -> None:
    assert isup.decode_number(isup.encode_number(number)) == number
    assert isup.decode_generic(isup.encode_generic(GenericNumber(6, number))) == GenericNumber(6, number)


@given(st.text("0123456789*#", max_size=20))
def test_digits_that_were_dialled(digits: str) -> None:
    assert isup.decode_digits(isup.encode_digits(digits)) == digits


@given(st.text("0123456789*#abc", max_size=15), st.integers(0, 7), st.integers(0, 15))
def test_address_strings(digits: str, nature: int, plan: int) -> None:
    address = tbcd.AddressString(digits, nature, plan)
    assert tbcd.decode_address(tbcd.encode_address(address)) == address


def test_known_octets() -> None:
    """Octets that the specifications, or their readers, write for these (Q.763 3.10, TS 29.002 17.7.8, Q.850 2.2)."""
    assert isup.encode_number(Number("8613800000008", screening=3)).hex() == "841368310800000008"
    assert tbcd.pack("001010123456789").hex() == "00010121436587f9"
    assert tbcd.encode_address(tbcd.AddressString("8613800000008")).hex() == "91683108000000f8"
    assert encode_cause(Cause(21, 4)).hex() == "8495"
    assert decode_cause(bytes.fromhex("049095")) == Cause(21, 4)
    assert isup.decode_digits(b"\x40123") == "123"


@pytest.mark.parametrize(
    ("read", "octets"),
    [
        (isup.decode_number, b"\x84"),
        (isup.decode_number, b"\x84\x10"),
        (isup.decode_generic, b""),
        (isup.decode_digits, b""),
        (isup.decode_digits, b"\x60\x12"),
        (tbcd.decode_address, b""),
        (tbcd.decode_address, b"\x11\x21"),
        (tbcd.decode_address, b"\x91\xf1\x21"),
        (tbcd.identity, b"\xa1"),
        (IMEI.take, b"\x53\x00\x10\x00\x00\x00\xf1"),
        (IMEI.take, b"\x53\x00\x10\x00\x00\x00\x10\x00\xf1"),
        (decode_cause, b"\x84"),
    ],
)
def test_what_is_no_number(read: Any, octets: bytes) -> None:
    with pytest.raises(PeerError):
        read(octets)


# -- elements of BER


@given(st.integers(-(1 << 31), (1 << 31) - 1))
def test_integers(number: int) -> None:
    element = ber.only(ber.put_integer(number))
    assert (element.tag, ber.take_integer(element.value)) == (ber.INTEGER, number)


@given(st.tuples(st.integers(0, 2), st.integers(0, 39)), st.lists(st.integers(0, 1 << 20), max_size=8))
def test_object_identifiers(head: tuple[int, int], rest: list[int]) -> None:
    arcs = (*head, *rest)
    assert ber.take_oid(ber.only(ber.put_oid(arcs)).value) == arcs


@given(st.binary(max_size=300), st.sampled_from([0x04, 0x30, 0x62, 0x9F32, 0xBF8148]))
def test_elements(value: bytes, tag: int) -> None:
    octets = ber.put(tag, value)
    assert ber.only(octets) == ber.Element(tag, value, octets)


def test_a_length_that_is_not_told() -> None:
    """Both forms of length are allowed (Q.773 4.1.1): a component may end by its end alone."""
    inside = ber.put_integer(1) + ber.put_integer(31)
    octets = b"\xa1\x80" + inside + b"\0\0"
    assert ber.only(octets).value == inside
    assert tcap.decode_component(octets) == tcap.Invoke(1, 31)
    nested = b"\x30\x80\x30\x80" + ber.put_integer(5) + b"\0\0\0\0"
    assert ber.elements(ber.only(nested).value)[0].value == ber.put_integer(5)


@pytest.mark.parametrize(
    "octets", ["", "30", "3001", "308202ff", "0480", "30800201", "1f", "1fffffffff01", "30" * 3, "3080" * 40]
)
def test_what_is_no_element(octets: str) -> None:
    with pytest.raises(PeerError):
        ber.only(bytes.fromhex(octets))


# -- operations


@pytest.mark.parametrize("user", [cap.CAP_USER, gsm_map.MAP_USER], ids=["CAP", "MAP"])
def test_operations_report_what_the_specification_says(user: Any) -> None:
    """The classes of our table, against what pycrate's modules of the specifications say of results and errors."""
    from pycrate_asn1dir import TCAP_CAP, TCAP_MAP

    message = (
        TCAP_CAP.TCAP_CAP_Messages.TCAP_CAP_Message
        if user is cap.CAP_USER
        else TCAP_MAP.TCAP_MAP_Messages.TCAP_MAP_Message
    )
    invoke = message._cont["begin"]._cont["components"]._cont._cont["basicROS"]._cont["invoke"]
    rows = {each["operationCode"][1]: each for each in invoke._cont["argument"]._const_tab._val.root}
    for each in user.operations:
        row = rows[each.opcode]
        result, errors = row.get("returnResult", True), "Errors" in row
        expected = {
            (True, True): OperationClass.SUCCESS_OR_FAILURE,
            (False, True): OperationClass.FAILURE_ONLY,
            (True, False): OperationClass.SUCCESS_ONLY,
            (False, False): OperationClass.NOTHING,
        }[result, errors]
        assert each.kind is expected, each.name
        assert ("ArgumentType" in row) == (each.argument is not None), each.name


#: of the messages those that a phase does not have: the InitialDP for its extension, which has another form there
LATE = {cap.Phase.TWO: {"continue-with-argument", "initial-dp"}}


@pytest.mark.parametrize("phase", list(cap.Phase))
@pytest.mark.parametrize("name", CAPS)
def test_a_lower_phase_has_less(phase: cap.Phase, name: str) -> None:
    """What a phase does not have is neither written nor read in it."""
    component = CAPS[name]
    operation, argument = cap.decode_invoke(component)
    if name in LATE.get(phase, set()):
        with pytest.raises(PeerError, match="phase 2"):
            cap.decode_invoke(component, phase)
        with pytest.raises(ValueError, match="phase 2"):
            cap.invoke(operation, argument, invoke_id=1, phase=phase)
    else:
        again = cap.invoke(operation, argument, invoke_id=1, phase=phase)
        found = cap.decode_invoke(again, phase)
        if isinstance(argument, cap.ApplyCharging) and phase is cap.Phase.TWO:  # in another form, see below
            assert found[1].time_duration_charging == argument.time_duration_charging._replace(by_sequence=True)
        else:
            assert found == (operation, argument)


@pytest.mark.parametrize("event", list(cap.EventType))
def test_detection_points_by_phase(event: cap.EventType) -> None:
    """Detection point 3 is there from phase 3; in mid-call, of positions and services, from phase 4."""
    armed = cap.RequestReportBCSMEvent((cap.BcsmEvent(event, cap.MonitorMode.INTERRUPTED),))
    first = {3: 3, 8: 4, 16: 4}.get(event, 4 if event > 18 else 2)
    for phase in cap.Phase:
        if phase >= first:
            component = cap.invoke(cap.REQUEST_REPORT_BCSM_EVENT, armed, invoke_id=1, phase=phase)
            assert cap.decode_invoke(component, phase)[1] == armed
        else:
            with pytest.raises(ValueError, match=event.name):
                cap.invoke(cap.REQUEST_REPORT_BCSM_EVENT, armed, invoke_id=1, phase=phase)


def test_contexts() -> None:
    assert [cap.phase_of(each) for each in cap.CONTEXTS.values()] == list(cap.Phase)
    assert cap.phase_of(gsm_map.NETWORK_LOC_UP) is None
    assert {each for operations in gsm_map.CONTEXTS.values() for each in operations} == {*gsm_map.MAP_USER.operations}


def test_a_report_is_null_before_phase_4() -> None:
    report = cap.SpecializedResourceReport(all_announcements_complete=True)
    component = cap.invoke(cap.SPECIALIZED_RESOURCE_REPORT, report, invoke_id=1, phase=cap.Phase.THREE)
    assert component.argument == b"\5\0"
    assert cap.decode_invoke(component, cap.Phase.THREE)[1] == report


@pytest.mark.parametrize(
    ("opcode", "octets"),
    [
        (0, b""),
        (0, b"\x30\x00"),
        (0, b"\x30\x05\x80\x01\x07\x82\x01"),
        (20, b"\x30\x00"),
        (22, b"\x04\x01\x84"),
        (35, b"\x30\x03\x80\x01\x00"),
        (36, b"\x04\x02\xa0\x00"),
        (99, b"\x30\x00"),
    ],
)
def test_what_is_no_argument(opcode: int, octets: bytes) -> None:
    with pytest.raises(PeerError):
        cap.decode_invoke(tcap.Invoke(1, opcode, octets))


@pytest.mark.parametrize("time", [0, 864_001])
def test_a_call_lasts_a_day_at_most(time: int) -> None:
    charging = cap.ApplyCharging(cap.TimeCharging(time))
    with pytest.raises(ValueError, match="100 ms"):
        cap.invoke(cap.APPLY_CHARGING, charging, invoke_id=1)


@pytest.mark.parametrize(
    ("phase", "octets"), [(2, "a006800202bca100"), (3, "a007800202bc8101ff"), (4, "a007800202bc8101ff")]
)
def test_that_a_call_ends_with_its_time_is_said_as_the_phase_has_it(phase: int, octets: str) -> None:
    """By a SEQUENCE in phase 2 (ReleaseIfDurationExceeded), which none of the others take."""
    charging = cap.ApplyCharging(cap.TimeCharging(700, release_if_duration_exceeded=True))
    component = cap.invoke(cap.APPLY_CHARGING, charging, invoke_id=1, phase=cap.Phase(phase))
    assert octets in component.argument.hex()
    for other in cap.Phase:
        if (other is cap.Phase.TWO) is (phase == 2):
            assert cap.decode_invoke(component, other)[1].time_duration_charging[:2] == (700, True)
        else:
            with pytest.raises(PeerError, match="another form"):
                cap.decode_invoke(component, other)


def test_phase_2_does_not_tell_that_a_call_was_released_at_the_end_of_its_time() -> None:
    report = cap.ApplyChargingReport(cap.CallResult(1, 700, leg_active=False, released_at_expiry=True))
    with pytest.raises(ValueError, match="callReleasedAtTcpExpiry"):
        cap.invoke(cap.APPLY_CHARGING_REPORT, report, invoke_id=1, phase=cap.Phase.TWO)
    assert cap.invoke(cap.APPLY_CHARGING_REPORT, report, invoke_id=1, phase=cap.Phase.THREE)


def test_arguments_are_those_of_their_operation() -> None:
    with pytest.raises(ValueError, match="connect"):
        cap.invoke(cap.CONNECT, INITIAL_DP, invoke_id=1)
    with pytest.raises(PeerError):
        gsm_map.decode_invoke(CAPS["connect"])
    assert gsm_map.decode_invoke(MAPS["check-imei"])[1].imei == "3512300000000117"
