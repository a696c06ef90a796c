"""What is told of a frame, alone and in its trace."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import traces
from hypothesis import given
from hypothesis import strategies as st

from simwarden.model.interfaces import INTERFACES
from simwarden.trace.dissect import MALFORMED, Dissector, carried, dissect
from simwarden.trace.events import Frame
from simwarden.wire import s1ap


def frame(interface: str, data: bytes, *, up: bool = True, clear: bytes | None = None, link: int = 1) -> Frame:
    protocol = INTERFACES[interface].protocol
    return Frame(
        source="a",
        target="b",
        interface=interface,
        protocol=protocol,
        data=data,
        from_client=up,
        clear=clear,
        link=link,
    )


def frames() -> list[Frame]:
    return [event for event in traces.moved_card() if isinstance(event, Frame)]


def test_every_frame_of_a_story_is_decoded() -> None:
    dissector = Dissector()
    found = [dissector.dissect(each) for each in frames()]
    assert MALFORMED not in {each.name for each in found}
    assert {"update-location-answer", "initial-ue-message", "rrc-connection-request"} <= {each.name for each in found}


def test_a_relay_shows_what_it_cannot_read_itself() -> None:
    # The eNB's frames carry no clear copy: what the MME and the device told is remembered.
    dissector = Dissector()
    found = [(each, dissector.dissect(each)) for each in frames()]
    last = next(one for each, one in reversed(found) if each.interface == "Uu")
    assert last.inner[0].name == "attach-reject"
    assert last.cause.startswith("EMM cause 8")
    relayed = [one for each, one in found if each.interface == "S1-MME" and one.name == "uplink-nas-transport"]
    assert "security-mode-complete" in {one.inner[0].name for one in relayed}


def test_alone_a_ciphered_message_stays_closed() -> None:
    ciphered = next(each for each in reversed(frames()) if each.interface == "Uu")
    assert ciphered.clear is None
    assert dissect(ciphered).inner[0].name == "ciphered-nas"


def test_a_response_is_named_by_its_command() -> None:
    dissector = Dissector()
    names = [dissector.dissect(each).name for each in frames() if each.interface == "ME-UICC"]
    assert names[:4] == ["power-on", "answer-to-reset", "select", "select-response"]


def test_pieces_of_a_stream_are_put_together() -> None:
    message = traces.diameter("Update-Location-Request", ("User-Name", traces.IMSI), number=9)
    dissector = Dissector()
    first = dissector.dissect(frame("S6a", message[:30]))
    second = dissector.dissect(frame("S6a", message[30:] + message))
    assert first.name == "segment"
    assert [part.name for part in second.inner] == ["update-location-request"] * 2
    assert dissector.dissect(frame("S6a", message)).name == "update-location-request"


def test_the_ends_of_a_stream_are_apart() -> None:
    message = traces.diameter("Update-Location-Request", ("User-Name", traces.IMSI))
    dissector = Dissector()
    dissector.dissect(frame("S6a", message[:30]))
    assert dissector.dissect(frame("S6a", message, up=False)).name == "update-location-request"
    assert dissector.dissect(frame("S6a", message, link=2)).name == "update-location-request"


@pytest.mark.parametrize("interface", sorted(set(INTERFACES) - {"ME-UICC"}))
def test_bad_octets_are_malformed_with_the_reason(interface: str) -> None:
    found = dissect(frame(interface, b"\xff\xff\xff\xff"))
    assert found.name == MALFORMED
    assert found.cause
    assert found.fields["octets"] == b"\xff\xff\xff\xff"


@given(
    interface=st.sampled_from(sorted(INTERFACES)),
    data=st.binary(max_size=64),
    up=st.booleans(),
    clear=st.none() | st.binary(max_size=16),
)
def test_never_raises(*, interface: str, data: bytes, up: bool, clear: bytes | None) -> None:
    one = frame(interface, data, up=up, clear=clear)
    assert dissect(one).summary
    assert Dissector().dissect(one).name
    carried(one)


@given(st.data())
def test_never_raises_on_damaged_messages(data: Any) -> None:
    one = data.draw(st.sampled_from(frames()))
    damaged = bytearray(one.data)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    one.data = bytes(damaged)
    assert Dissector().dissect(one).summary


def test_a_frame_is_decoded_once_and_can_be_pickled() -> None:
    one = next(each for each in frames() if each.interface == "S6a")
    found = Dissector().dissect(one)
    assert dissect(one) is found
    assert Dissector().dissect(one) is found
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - our own octets


def test_an_unknown_protocol_is_octets() -> None:
    one = Frame(source="a", target="b", interface="Gx", protocol="carrier-pigeon", data=b"coo")
    assert dissect(one).summary == "3 octets of carrier-pigeon"


@pytest.mark.parametrize(("eea", "name"), [(0, "emm-status"), (2, "ciphered-nas")])
def test_a_foreign_message_under_eea0_is_read_though_its_header_calls_it_ciphered(eea: int, name: str) -> None:
    # 24.301 8.2.20: SECURITY MODE COMMAND is never ciphered, and says what later messages are
    command = bytes.fromhex("37aabbccdd00 075d") + bytes((eea << 4 | 2,)) + bytes.fromhex("00 02 e060")
    status = bytes.fromhex("27aabbccdd01 0760 6f")
    ids = {"mme_ue_s1ap_id": 1, "enb_ue_s1ap_id": 1}
    dissector, found = Dissector(), []
    for pdu in (command, status):
        message = s1ap.encode(s1ap.Message("downlink-nas-transport", {**ids, "nas_pdu": pdu}))
        found.append(dissector.dissect(frame("S1-MME", message)).inner[0])
    assert [each.name for each in found] == ["security-mode-command", name]
