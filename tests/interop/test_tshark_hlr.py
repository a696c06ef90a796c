"""Wireshark reads what HLR, VLR, GMSC and EIR say of a card, also why something fails."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import exported
import pytest
from call_net import MSISDN, CallNet
from hss_net import APPROVAL, GIVEN, IMSI, METER, PHONE
from sigtran_messages import in_m3ua, in_sccp, in_tcap

from simwarden.runtime.clock import EPOCH
from simwarden.trace.pcapng import write_capture
from simwarden.wire import map as m
from simwarden.wire.tcap import ReturnError

if TYPE_CHECKING:
    from pathlib import Path

    from simwarden.runtime.loop import TestbedLoop

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not exported.TSHARK, reason="tshark is not installed (apt install tshark)"),
]
UPDATE, CANCEL, PRN, ISD, DSD, SRI = "2", "3", "4", "7", "8", "22"
_FIELDS = (
    "gsm_old.localValue",
    "gsm_map.er.roamingNotAllowedCause",
    "gsm_map.er.callBarringCause",
    "gsm_map.er.absentSubscriberReason",
    "_ws.expert.severity",
    "_ws.malformed",
)


def rows_of(net: CallNet, path: Path) -> list[dict[str, str]]:
    """Return what Wireshark finds in the capture of a story, message by message of MAP."""
    with path.open("wb") as stream:
        write_capture(net.trace.events, stream, EPOCH)
    asked = [part for each in _FIELDS for part in ("-e", each)]
    command = [exported.TSHARK, "-n", "-r", str(path), "-Y", "tcap", "-T", "fields", *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - its own path
    return [dict(zip(_FIELDS, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


async def test_a_card_is_registered_called_changed_and_withdrawn(loop: TestbedLoop, tmp_path: Path) -> None:
    async with CallNet(loop) as net:
        await net.voice()
        await net.vlr.register(IMSI, METER + "01")
        await net.vlr2.route(MSISDN)
        await net.vlr2.route(MSISDN, suppressed=True)
        await net.call("DELETE", f"/cards/{IMSI}/csi", APPROVAL)
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "withdrawal"})
        await net.settle()
    rows = rows_of(net, tmp_path / "hlr.pcapng")
    operations = [row["gsm_old.localValue"] for row in rows if row["gsm_old.localValue"]]
    # an operation that is answered with parameters is there twice, the second time with its result
    assert operations == [
        *(UPDATE, ISD, UPDATE),
        *(SRI, SRI),
        *(SRI, PRN, PRN, SRI),
        *(DSD, ISD),
        CANCEL,
    ]
    assert_clean(rows)


async def test_refusals_say_why(loop: TestbedLoop, tmp_path: Path) -> None:
    async with CallNet(loop) as net:
        await net.voice(binding=GIVEN)
        assert await net.vlr.register(IMSI, PHONE + "01") == "unknown-subscriber"
        assert await net.vlr.register(IMSI, METER + "01", (1,)) == "roaming-not-allowed"
        assert await net.vlr.route(MSISDN, suppressed=True) == "absent-subscriber"
        assert await net.vlr.route(MSISDN, None) == "call-barred"
    rows = rows_of(net, tmp_path / "refused.pcapng")
    assert_clean(rows)
    assert [row["gsm_old.localValue"] for row in rows] == [UPDATE, "1", UPDATE, "8", SRI, "27", SRI, "13"]
    assert [row["gsm_map.er.roamingNotAllowedCause"] for row in rows if row["gsm_old.localValue"] == "8"] == ["0"]
    assert [row["gsm_map.er.absentSubscriberReason"] for row in rows if row["gsm_old.localValue"] == "27"] == ["0"]
    assert [row["gsm_map.er.callBarringCause"] for row in rows if row["gsm_old.localValue"] == "13"] == ["1"]


def assert_clean(rows: list[dict[str, str]]) -> None:
    severities = [int(each) for row in rows for each in row["_ws.expert.severity"].split(",") if each]
    assert max(severities, default=0) < 0x600000
    assert not [row for row in rows if row["_ws.malformed"]]


@pytest.mark.parametrize(
    ("code", "parameter", "field", "value"),
    [
        (8, m.roaming_not_allowed(m.RoamingNotAllowedCause.OPERATOR_DETERMINED_BARRING), "roamingNotAllowedCause", "3"),
        (13, m.call_barred(m.CallBarringCause.OPERATOR_BARRING), "callBarringCause", "1"),
        (27, m.absent_subscriber(m.AbsentSubscriberReason.NO_PAGE_RESPONSE), "absentSubscriberReason", "2"),
    ],
)
def test_parameters_of_errors(tmp_path: Path, code: int, parameter: bytes, field: str, value: str) -> None:
    octets = in_m3ua(in_sccp(in_tcap(ReturnError(1, code, parameter), gsm=True), gsm=True))
    (row,) = exported.read(tmp_path / "error.pcap", [("m3ua", octets)])
    found: dict[str, Any] = row
    assert "_ws.malformed" not in found
    assert found[f"gsm_map.er.{field}"] == [value]
