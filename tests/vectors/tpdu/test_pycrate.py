"""Each TPDU as pycrate reads it: the same octets, and by its names the values that we meant."""

from __future__ import annotations

from typing import Any

import pycrate_mobile.TS23040_SMS as pycrate  # noqa: N811 - a module
import pytest
from short_messages import TPDUS

from simwarden.wire import sms

CASES = [pytest.param(*case, id=name) for name, case in TPDUS.items()]
KINDS = [pytest.param(kind, tpdu, id=name) for name, (kind, _, tpdu) in TPDUS.items()]
#: flags by our names and theirs; TP-MMS says the opposite of its name
FLAGS = {
    "reject_duplicates": "TP_RD",
    "status_report_request": "TP_SRR",
    "reply_path": "TP_RP",
    "loop_prevention": "TP_LP",
    "status_report_indication": "TP_SRI",
    "of_command": "TP_SRQ",
}
NUMBERS = {
    "reference": "TP_MR",
    "status": "TP_ST",
    "command_type": "TP_CT",
    "message_number": "TP_MN",
    "failure_cause": "TP_FCS",
}
ADDRESSES = {"destination": "TP_DA", "originator": "TP_OA", "recipient": "TP_RA"}
TIMES = {"discharge_time": "TP_DT", "time_stamp": "TP_SCTS"}


def read(kind: str, octets: bytes) -> Any:
    message = getattr(pycrate, kind)()
    message.from_bytes(octets)
    return message


@pytest.mark.parametrize(("kind", "from_mobile", "tpdu"), CASES)
def test_octets_are_those_of_pycrate(kind: str, from_mobile: Any, tpdu: sms.Tpdu) -> None:
    octets = sms.encode(tpdu)
    assert read(kind, octets).to_bytes() == octets
    assert sms.decode(octets, from_mobile=from_mobile) == tpdu


@pytest.mark.parametrize(("kind", "tpdu"), KINDS)
def test_pycrate_finds_what_we_meant(kind: str, tpdu: sms.Tpdu) -> None:
    theirs = read(kind, sms.encode(tpdu))
    for names in (FLAGS, NUMBERS):
        ours = {name: getattr(tpdu, name, None) for name in names}
        meant = {name: value for name, value in ours.items() if value is not None}
        assert {name: theirs[names[name]].get_val() for name in meant} == meant
    if hasattr(tpdu, "more_messages"):
        assert theirs["TP_MMS"].get_val() == (not tpdu.more_messages)
    check_addresses(theirs, tpdu)
    for mine, name in TIMES.items():
        if hasattr(tpdu, mine):
            assert swapped(theirs[name].to_bytes()) == getattr(tpdu, mine).strftime("%y%m%d%H%M%S")
    user_data = getattr(tpdu, "user_data", None)
    if user_data is not None:
        check_user_data(theirs["TP_UD"], user_data, getattr(tpdu, "data_coding_scheme", None) or 0)


def check_addresses(theirs: Any, tpdu: sms.Tpdu) -> None:
    for ours, name in ADDRESSES.items():
        if hasattr(tpdu, ours):
            address = getattr(tpdu, ours)
            found = theirs[name]
            assert (found["Type"].get_val(), found["NumberingPlan"].get_val()) == (address.ton, address.npi)
            assert found["Num"].decode() == address.number


def swapped(octets: bytes) -> str:
    return "".join(f"{each & 15}{each >> 4}" for each in octets[:6])


def check_user_data(theirs: Any, ours: sms.UserData, scheme: int) -> None:
    if ours.header:
        elements = [(each[0].get_val(), each[2].to_bytes()) for each in theirs["UDH"]["UDH"]]
        assert elements == [(each.identifier, each.data) for each in ours.header]
    alphabet = sms.coding_of(scheme).alphabet
    if alphabet is sms.Alphabet.OCTETS:
        assert theirs["UD"].to_bytes() == ours.octets
    elif alphabet is sms.Alphabet.UCS2:
        assert theirs["UD"].to_bytes().decode("utf-16-be") == ours.text(scheme)
    else:
        assert theirs["UD"].decode() == ours.text(scheme)
