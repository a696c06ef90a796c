"""A source that fills a bounded table displaces its own entries only."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from scapy.layers.inet import IP, UDP, fragment
from sip_messages import MESSAGES

from simulators.platform import contexts
from simwarden.machine import ip_fragments, sccp_segments, sip_transactions
from simwarden.machine.fairness import oldest_of_busiest
from simwarden.machine.ip_fragments import Fragments
from simwarden.machine.sccp_segments import Reassembly, segments
from simwarden.machine.sip_transactions import Transactions
from simwarden.wire.sccp import Address, Message, MessageType, ReturnCause
from simwarden.wire.sip import Request, encode
from simwarden.wire.sms import Concatenation, Header

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("entries", "leaves"), [(["a1", "b1", "b2"], "b1"), (["a1", "b1"], "a1"), (["a1", "b1", "b2", "a2"], "a1")]
)
def test_the_oldest_entry_of_the_busiest_source_leaves(entries: list[str], leaves: str) -> None:
    assert oldest_of_busiest(entries, lambda entry: entry[0]) == leaves


def pieces(source: str, number: int) -> list[bytes]:
    packet = IP(src=source, dst="10.64.0.1", id=number) / UDP(sport=1, dport=2) / bytes(40)
    return [bytes(each) for each in fragment(packet, fragsize=24)]  # type: ignore[no-untyped-call]


def test_fragments_of_an_unknown_sender_displace_no_others() -> None:
    held = Fragments()
    first, *rest = pieces("198.51.100.80", 1)
    held.take(first, 0.0)
    for number in range(1, 5 * ip_fragments.MOST_PACKETS):
        held.take(pieces("203.0.113.66", number)[0], 0.0)
    assert any(held.take(each, 1.0) for each in rest)


def unitdata(reference: int) -> Iterator[Message]:
    address = Address(ssn=8, point_code=1)
    return segments(Message(MessageType.UNITDATA, address, address, bytes(300)), reference)


def test_messages_of_one_origin_leave_room_for_those_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sccp_segments, "_MOST", 5)
    held = Reassembly()
    for reference in range(1, 6):
        assert held.take(next(unitdata(reference)), 66, 0.0) is None
    assert held.take(next(unitdata(9)), 66, 0.0) is ReturnCause.SEGMENTATION_FAILURE
    first, last = unitdata(1)
    assert held.take(first, 1, 0.0) is None
    assert held.take(last, 1, 1.0) == bytes(300)
    assert len(held) == 4


def test_parts_of_one_sender_leave_room_for_those_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "_MOST", 5)
    parts = contexts.Parts()

    def add(sender: str, reference: int, number: int) -> str | None:
        came = contexts.Incoming(sender, "1065", b"", Header(), str(number))
        return parts.add(came, Concatenation(reference, 2, number))

    assert add("+8610", 1, 1) is None
    for reference in range(20):
        assert add("+8666", reference, 1) is None
    assert add("+8610", 1, 2) == "12"


def test_requests_of_peers_leave_room_for_those_that_a_sip_endpoint_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_transactions, "MOST", 5)
    monkeypatch.setattr(sip_transactions, "RESERVED", 2)
    transactions = Transactions()
    options = encode(cast("Request", MESSAGES["options"]))
    for number in range(20):
        transactions.receive(options.replace(b"776asdhds", b"%d" % number), ("203.0.113.66", 5060), 0.0)
    assert len(transactions) == 3
    transactions.request(cast("Request", MESSAGES["invite"]), ("192.0.2.2", 5060), 0.0)
    assert len(transactions) == 4
