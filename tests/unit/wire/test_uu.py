"""The radio's frame: every message there and back, published layout, and nothing but PeerError for bad bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.errors import PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.wire import uu
from simwarden.wire.dissection import Dissection

PLMN = Plmn("001", "01")
CELL = Ecgi(PLMN, 0x0012301)

EXAMPLES: list[tuple[uu.Message, str]] = [
    (uu.CellSearch(), "010000"),
    (
        uu.SystemInformation((uu.CellInformation(CELL, Tai(PLMN, 7), ims_emergency_support=False),)),
        "020013" + "01" + "00f11000012301" + "00f1100007" + "00000000" + "00" + "46",
    ),
    (uu.Camp(0x12301, 999), "030006" + "00012301" + "03e7"),
    (
        uu.Paging((uu.STmsi(1, 0xC0FFEE01), "001010000000001")),
        "040019" + "020001c0ffee01" + "010f" + b"001010000000001".hex() + "00",
    ),
    (
        uu.RrcConnectionRequest(0x12301, uu.RandomValue(0x0102030405), uu.EstablishmentCause.MO_SIGNALLING),
        "10000b" + "00012301" + "010102030405" + "03",
    ),
    (
        uu.RrcConnectionRequest(0x12301, uu.STmsi(1, 2), uu.EstablishmentCause.EMERGENCY),
        "10000b" + "00012301" + "000100000002" + "00",
    ),
    (uu.RrcConnectionSetup(0x3D), "110002003d"),
    (uu.RrcConnectionReject(5), "1200020500"),
    (uu.RrcConnectionReject(5, 600), "1200040501" + "0258"),
    (uu.RrcConnectionSetupComplete(PLMN, b"\x07\x41"), "130008" + "00f110" + "00020741" + "00"),
    (
        uu.RrcConnectionSetupComplete(PLMN, b"\x07", uu.RegisteredMme(PLMN, 4, 1)),
        "13000d" + "00f110" + "000107" + "01" + "00f110" + "0004" + "01",
    ),
    (uu.RrcConnectionRelease(), "1400020100"),
    (uu.UlInformationTransfer(b"\x07\x45"), "200004" + "00020745"),
    (uu.DlInformationTransfer(b""), "210002" + "0000"),
    (uu.SecurityModeCommand(2, 1), "2200020201"),
    (uu.SecurityModeComplete(), "230000"),
    (uu.SecurityModeFailure(), "240000"),
    (uu.RrcConnectionReconfiguration((5,), (), (b"\x07",)), "300008" + "0105" + "00" + "01000107" + "00"),
    (
        uu.RrcConnectionReconfiguration(mobility_control_info=uu.MobilityControlInfo(CELL, 0x4D, 2)),
        "30000e" + "000000" + "01" + "00f11000012301" + "004d" + "02",
    ),
    (uu.RrcConnectionReconfigurationComplete(0x4D), "310003" + "01004d"),
    (uu.RrcConnectionReconfigurationComplete(), "31000100"),
    (uu.MeasurementReport((uu.MeasuredCell(CELL, 80),)), "32000a" + "01" + "00f11000012301" + "50" + "00"),
    (
        uu.MeasurementReport((uu.MeasuredCell(CELL, 80, Tai(PLMN, 7)),)),
        "32000f" + "01" + "00f11000012301" + "50" + "0100f1100007",
    ),
    (uu.UserData(5, b"\x45\x00"), "400003" + "05" + "4500"),
]


@pytest.mark.parametrize(("message", "octets"), EXAMPLES, ids=[m.name for m, _ in EXAMPLES])
def test_layout(message: uu.Message, octets: str) -> None:
    assert uu.encode(message).hex() == octets
    assert uu.decode(bytes.fromhex(octets)) == message


def test_every_type_has_an_example() -> None:
    assert {m.type for m, _ in EXAMPLES} == set(uu.FrameType)


@pytest.mark.parametrize(("message", "octets"), EXAMPLES, ids=[m.name for m, _ in EXAMPLES])
def test_cut_and_stretched_frames_are_peer_errors(message: uu.Message, octets: str) -> None:
    frame = bytes.fromhex(octets)
    for length in range(len(frame)):
        with pytest.raises(PeerError):
            uu.decode(frame[:length])
    body = frame[3:]
    if not isinstance(message, uu.UserData):  # takes what there is
        with pytest.raises(PeerError):
            uu.decode(frame[:1] + (len(body) + 1).to_bytes(2, "big") + body + b"\0")


@given(st.sampled_from([uu.encode(m) for m, _ in EXAMPLES]), st.data())
def test_mutated_frames_give_a_message_or_a_peer_error(frame: bytes, data: st.DataObject) -> None:
    octets = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = uu.decode(bytes(octets))
    except PeerError:
        return
    assert uu.decode(uu.encode(message)) == message


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="not within"):
        uu.encode(uu.Camp(1 << 28))
    with pytest.raises(ValueError, match="65535"):
        uu.encode(uu.UserData(5, bytes(65535)))


def test_stream_splitting() -> None:
    assert uu.frame_length(b"\x20\x00") is None
    assert uu.frame_length(bytes.fromhex("200004") + b"rest") == 7


def test_dissection_shows_the_nas_inside() -> None:
    shown = uu.dissect(
        uu.encode(uu.DlInformationTransfer(b"\x07\x44\x06")),
        nas=lambda pdu: Dissection("attach-reject", "Attach reject", {"octets": pdu}, cause="Illegal ME"),
    )
    assert shown.name == "dl-information-transfer"
    assert shown.summary == "DL information transfer, Attach reject"
    assert shown.cause == "Illegal ME"
    assert shown.inner[0].fields == {"octets": b"\x07\x44\x06"}


def test_dissection_survives_bad_nas() -> None:
    def bad(pdu: bytes) -> Dissection:
        raise PeerError(f"no NAS in {pdu.hex()}")

    shown = uu.dissect(uu.encode(uu.UlInformationTransfer(b"\xff")), nas=bad)
    assert shown.inner[0].name == "malformed-nas"
    assert shown.fields == {"dedicated_info_nas": b"\xff"}


def test_dissection_fields_are_plain_values() -> None:
    report = uu.RrcConnectionReconfiguration(mobility_control_info=uu.MobilityControlInfo(CELL, 1))
    assert uu.dissect(uu.encode(report)).fields["mobility_control_info"]["target"] == "001-01-0012301"
