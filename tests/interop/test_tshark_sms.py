"""Wireshark reads short messages on all their ways, and finds the values that we meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import exported
import pytest
from short_messages import CPS, TPDUS
from smpp_messages import CMPP, ID, PDUS
from sms_diameter import S6C, S6C_MESSAGES, SGD, SGD_MESSAGES
from vectors import load

from simwarden.runtime.clock import EPOCH
from simwarden.trace.events import Frame
from simwarden.trace.pcapng import write_capture
from simwarden.wire import cmpp, ppsms, smpp, sms
from simwarden.wire.diameter import Message, encode
from simwarden.wire.diameter.dictionary import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

suite = load(Path(__file__).with_name("test_tshark_suite.py"))
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not exported.TSHARK, reason="tshark is not installed (apt install tshark)"),
]
#: commands of SMPP of which Wireshark is asked: all
SMPP_READ = frozenset(pdu.command for pdu in PDUS.values())
#: Wireshark reads CMPP 3.0, of which these are as in 2.0; answers and numbers are longer there
CMPP_READ = frozenset(
    {
        cmpp.Command.CONNECT,
        cmpp.Command.TERMINATE,
        cmpp.Command.TERMINATE_RESP,
        cmpp.Command.QUERY,
        cmpp.Command.QUERY_RESP,
        cmpp.Command.CANCEL,
        cmpp.Command.CANCEL_RESP,
        cmpp.Command.ACTIVE_TEST,
        cmpp.Command.ACTIVE_TEST_RESP,
    }
)


def clean(found: dict[str, Any]) -> bool:
    return "_ws.malformed" not in found and all(int(each) < 0x600000 for each in found.get("_ws.expert.severity", ()))


def number(text: str) -> int:
    return int(text, 0)


def test_smpp(tmp_path: Path) -> None:
    rows = exported.read(tmp_path / "smpp.pcap", [("smpp", smpp.encode(pdu)) for pdu in PDUS.values()])
    for (name, pdu), row in zip(PDUS.items(), rows, strict=True):
        assert clean(row), name
        assert number(row["smpp.command_id"][0]) == pdu.command
        assert number(row.get("smpp.command_status", ["0"])[0]) == pdu.status
        fields = smpp.dissect(smpp.encode(pdu)).fields
        for part in ("system_id", "system_type", "message_id"):
            if fields.get(part):
                assert row[f"smpp.{part}"] == [fields[part]], name
        for ours, theirs in (("source_addr", "source_addr"), ("destination_addr", "destination_addr")):
            if ours in fields:
                assert row[f"smpp.{theirs}"] == [fields[ours]], name
        for part in ("source_addr_ton", "source_addr_npi", "dest_addr_ton", "dest_addr_npi", "data_coding"):
            if part in fields:
                assert number(row[f"smpp.{part}"][0]) == fields[part], name
        if pdu.parameters:
            tags = [number(each) for each in row["smpp.opt_param_tag"]]
            assert tags == [each.tag for each in pdu.parameters], name


def test_smpp_values(tmp_path: Path) -> None:
    names = ("submit_sm", "deliver_sm", "query_sm_resp", "bind_transceiver")
    rows = exported.read(tmp_path / "smpp.pcap", [("smpp", smpp.encode(PDUS[name])) for name in names])
    submit, deliver, queried, bind = rows
    assert submit["smpp.esm.submit.features"] == ["0x01"]
    assert submit["gsm_sms.udh.mm.msg_parts"] == ["2"]
    assert submit["gsm_sms.udh.mm.msg_part"] == ["1"]
    assert submit["smpp.regdel.receipt"] == ["0x01"]
    assert deliver["smpp.esm.submit.msg_type"] == ["0x01"]
    assert deliver["smpp.receipted_message_id"] == ["0000000001"]
    assert deliver["smpp.message_state"] == ["2"]
    assert queried["smpp.message_state"] == ["2"]
    assert bind["smpp.password"] == ["s3cret"]


def test_cmpp(tmp_path: Path) -> None:
    messages = {name: each for name, each in CMPP.items() if each.command in CMPP_READ}
    rows = exported.read(tmp_path / "cmpp.pcap", [("cmpp", cmpp.encode(each)) for each in messages.values()])
    assert {each.command for each in messages.values()} == CMPP_READ
    for (name, message), row in zip(messages.items(), rows, strict=True):
        assert clean(row), name
        assert number(row["cmpp.Command_Id"][0]) == message.command
        assert number(row["cmpp.Sequence_Id"][0]) == message.sequence
    connect = rows[0]
    assert connect["cmpp.connect.Source_Addr"] == ["900001"]
    assert connect["cmpp.Version"] == ["02.00"]
    assert connect["cmpp.connect.Timestamp"] == ["03/02 08:30:59"]


def test_a_message_id_of_cmpp(tmp_path: Path) -> None:
    (row,) = exported.read(tmp_path / "cmpp.pcap", [("cmpp", cmpp.encode(CMPP["submit"]))])
    assert number(row["cmpp.Msg_Id"][0]) == ID
    assert row["cmpp.Msg_Id.timestamp"] == ["03/02 08:30:59"]
    assert row["cmpp.Msg_Id.sequence_id"] == ["65535"]
    assert row["cmpp.submit.Registered_Delivery"] == ["1"]
    assert row["cmpp.Servicd_Id"] == ["METERS"]
    assert row["cmpp.submit.Fee_terminal_Id"][0].startswith("14400000017")


def test_cp_rp_and_tpdu(tmp_path: Path) -> None:
    rows = exported.read(tmp_path / "sms.pcap", [("gsm_a_dtap", ppsms.encode_cp(each)) for _, each in CPS.values()])
    for name, row in zip(CPS, rows, strict=True):
        assert clean(row), name
    found = dict(zip(CPS, rows, strict=True))
    submit, deliver = found["data, data, up"], found["data, data, down"]
    assert submit["gsm_sms.tp-mti"] == ["1"]
    assert submit["gsm_sms.tp-mr"] == ["7"]
    assert submit["gsm_sms.tp-da"] == ["10658000123"]
    assert submit["gsm_sms.sms_text"] == ["Zähler {17} kostet 5 €"]
    assert submit["gsm_a.rp.rp_message_reference"] == ["0x05"]
    assert deliver["gsm_sms.tp-oa"] == ["10658000123"]
    assert deliver["gsm_sms.scts.year"] == ["26"]
    assert deliver["gsm_sms.scts.hour"] == ["8"]
    assert deliver["gsm_sms.scts.timezone"] == ["32"]
    assert found["data, error, down"]["gsm_a.rp.cause"] == ["21"]
    assert found["error"]["gsm_a.dtap.cp_cause"] == ["81"]


def test_every_tpdu(tmp_path: Path) -> None:
    """Each as RP carries it, by which Wireshark knows who sent it."""
    made = []
    for _, from_mobile, tpdu in TPDUS.values():
        report = isinstance(tpdu, (sms.DeliverReport, sms.SubmitReport))
        kind = ppsms.RpType.RP_DATA if not report else ppsms.RpType.RP_ACK
        kind = ppsms.RpType.RP_ERROR if getattr(tpdu, "failure_cause", None) else kind
        centre = sms.Address("8613800100500", 1, 1) if kind is ppsms.RpType.RP_DATA else None
        ends: dict[str, Any] = {"destination": centre} if from_mobile else {"originator": centre}
        rp = ppsms.Rp(kind, 1, from_mobile, user_data=sms.encode(tpdu), cause=21 if kind == 4 else 0, **ends)
        made.append(ppsms.encode_cp(ppsms.Cp(ppsms.CpType.CP_DATA, 0, user_data=ppsms.encode_rp(rp))))
    rows = exported.read(tmp_path / "tpdus.pcap", [("gsm_a_dtap", each) for each in made])
    for (name, (_, _, tpdu)), row in zip(TPDUS.items(), rows, strict=True):
        assert clean(row), name
        text = getattr(tpdu, "user_data", None) and tpdu.user_data.text(tpdu.data_coding_scheme or 0)  # type: ignore[union-attr]
        if text:
            assert row["gsm_sms.sms_text"] == [text], name
        part = getattr(tpdu, "user_data", None) and sms.concatenation_of(tpdu.user_data.header)  # type: ignore[union-attr]
        if part:
            assert row["gsm_sms.udh.mm.msg_parts"] == [str(part.total)], name
            assert row["gsm_sms.udh.mm.msg_part"] == [str(part.number)], name


# -- captures of ours


def frames() -> Iterator[tuple[str, str, bytes]]:
    """Interface, protocol and octets of all that is said outside the radio."""
    yield from (("SMPP", "smpp", smpp.encode(pdu)) for pdu in PDUS.values())
    yield from (("CMPP", "cmpp", cmpp.encode(each)) for each in CMPP.values() if each.command in CMPP_READ)
    commands = {(each.application, each.name): each for each in COMMANDS.values()}
    for point, application, messages in (("SGd", SGD, SGD_MESSAGES), ("S6c", S6C, S6C_MESSAGES)):
        for name, vectors in messages.items():
            command = commands[application, name]
            flags = (0x80 if command.request else 0) | 0x40
            yield from (
                (point, "diameter", encode(Message(command.code, application, flags, 1, 1, avps))) for avps in vectors
            )


@pytest.mark.parametrize("mask", [False, True])
def test_captures_are_read_to_their_end(tmp_path: Path, mask: bool) -> None:  # noqa: FBT001 - both ways
    links = {"SMPP": 1, "CMPP": 2, "SGd": 3, "S6c": 4}
    events = [
        Frame(source="a", target="b", interface=point, protocol=protocol, data=octets, link=links[point])
        for point, protocol, octets in frames()
    ]
    path = tmp_path / "sms.pcapng"
    with path.open("wb") as stream:
        write_capture(events, stream, EPOCH, mask=mask)
    rows = suite.read(path)
    assert len(rows) == len(events)
    assert not [row.complaint for row in rows if row.complaint]
    assert {row.interface for row in rows} == set(links)
    assert (b"s3cret" in path.read_bytes()) != mask


def test_the_tpdu_in_sgd_is_read(tmp_path: Path) -> None:
    avps = SGD_MESSAGES["mo-forward-short-message-request"][0]
    (row,) = exported.read(tmp_path / "sgd.pcap", [("diameter", encode(Message(8388645, SGD, 0xC0, 1, 1, avps)))])
    assert row["diameter.SC-Address"]
    assert row["diameter.SM-RP-UI"]
    assert clean(row)
