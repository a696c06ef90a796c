"""Associations of SCTP in user space: choice of paths, trust in addresses, limits."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.runtime.transport import sctp_association, sctp_packet
from simwarden.runtime.transport.sctp_association import Association, Associations, Path
from simwarden.runtime.transport.sctp_packet import Chunk, Head, addresses_in, head_of, with_addresses
from simwarden.trace.packets import crc32c

OURS, PEERS = ("192.0.2.1", "192.0.2.2"), ("198.51.100.1", "198.51.100.2")
PORTS = (3868, 40000)
FIRST, SECOND = Path(OURS[0], PEERS[0], 0), Path(OURS[1], PEERS[1], 0)
LATER = 10.0


def packet(kind: int, tag: int = 7, value: bytes = b"\0\0\0\1", *, back: bool = False) -> bytes:
    """Make a packet of ours, or of the peer (`back`), of which only the head is right."""
    head = struct.pack(">HHII", *(PORTS[::-1] if back else PORTS), tag, 0)
    return head + struct.pack(">BBH", kind, 0, 4 + len(value)) + value


def init(kind: int = Chunk.INIT, tag: int = 7, own: int = 9, *, back: bool = False) -> bytes:
    return packet(kind, tag, struct.pack(">IIHHI", own, 1 << 16, 1, 1, 1), back=back)


def head(data: bytes) -> Head:
    found = head_of(data)
    assert found is not None
    return found


def receive(associations: Associations, association: Association, data: bytes, path: Path = FIRST) -> bool:
    return associations.receive(association, path, head(data), data)


@pytest.fixture(name="associations")
def _associations() -> Associations:
    return Associations(lambda _number: None)


@pytest.fixture(name="accepted")
def _accepted(associations: Associations) -> Association:
    """Return an association that a peer with two addresses has set up with us."""
    made = associations.add(FIRST, PORTS, OURS)
    assert made is not None
    receive(associations, made, with_addresses(init(back=True), PEERS))
    associations.prepare(made, init(Chunk.INIT_ACK, own=77))
    receive(associations, made, packet(Chunk.COOKIE_ECHO, 77, back=True))
    associations.prepare(made, packet(Chunk.COOKIE_ACK))
    return made


def answer_probes(association: Association, now: float) -> list[Path]:
    """Acknowledge the HEARTBEATs that are due; return the paths that they went by."""
    paths = []
    for path, beat in list(association.probes(now)):
        assert crc32c(beat[:8] + bytes(4) + beat[12:]) == int.from_bytes(beat[8:12], "little")
        assert association.confirm(packet(Chunk.HEARTBEAT_ACK, value=beat[16:], back=True))
        paths.append(path)
    return paths


def test_init_lists_all_addresses_of_its_sender_and_has_a_right_checksum() -> None:
    sent = with_addresses(init(), OURS)
    assert addresses_in(sent) == OURS
    assert int.from_bytes(sent[14:16]) == len(sent) - 12
    assert crc32c(sent[:8] + bytes(4) + sent[12:]) == int.from_bytes(sent[8:12], "little")


@given(st.binary(max_size=80))
def test_no_octets_break_the_reading_of_a_packet(data: bytes) -> None:
    found = head_of(data)
    if found is not None:
        for read in (addresses_in, sctp_packet.acknowledged, sctp_packet.initiate_tag, sctp_packet.cumulative_tsn):
            read(data)
        assert sctp_packet.wants_answer(data) in (True, False)
        association = Association(1, PORTS, OURS, {FIRST: sctp_association.PathState()}, {PEERS[0]})
        association.record(found, data)
        assert not association.confirm(data)


def test_the_paths_of_parallel_networks_come_first(accepted: Association) -> None:
    assert list(accepted.paths)[:2] == [FIRST, SECOND]
    assert len(accepted.paths) == 4


def test_an_address_that_a_peer_lists_gets_nothing_but_heartbeats_until_it_acknowledges_one(
    accepted: Association,
) -> None:
    accepted.use(FIRST, packet(Chunk.DATA), now=LATER)
    assert accepted.choose(LATER + 5).host == PEERS[0]
    assert answer_probes(accepted, LATER + 5) == list(accepted.paths)
    accepted.use(FIRST, packet(Chunk.DATA), now=2 * LATER)
    assert accepted.choose(2 * LATER + 5) == SECOND


def test_a_forged_acknowledgement_of_a_heartbeat_confirms_no_address(accepted: Association) -> None:
    beats = [beat for _, beat in accepted.probes(LATER)]
    for value in (b"", b"\0\1\0\4", beats[0][16:-1] + b"?", beats[0][16:20] + bytes(16)):
        assert not accepted.confirm(packet(Chunk.HEARTBEAT_ACK, value=value, back=True))
    assert accepted.confirmed == {FIRST.host}


def test_a_path_is_left_while_nothing_shows_that_packets_arrive_and_used_again_after_a_heartbeat(
    accepted: Association,
) -> None:
    answer_probes(accepted, LATER)
    accepted.use(FIRST, packet(Chunk.DATA), LATER)
    accepted.record(head(packet(Chunk.DATA, back=True)), packet(Chunk.DATA, back=True))  # shows nothing of ours
    assert accepted.choose(LATER + 0.1) == FIRST
    assert accepted.choose(LATER + 1) == SECOND
    accepted.use(SECOND, packet(Chunk.DATA), LATER + 1)
    sack = packet(Chunk.SACK, value=b"\0\0\0\2", back=True)
    accepted.record(head(sack), sack)
    assert accepted.choose(LATER + 9) == SECOND
    assert FIRST in answer_probes(accepted, LATER + 9)
    assert accepted.choose(LATER + 9) == FIRST


@pytest.mark.parametrize("kind", [Chunk.SACK, Chunk.HEARTBEAT_ACK, Chunk.COOKIE_ACK, Chunk.ABORT])
def test_a_packet_that_is_not_answered_says_nothing_against_its_path(accepted: Association, kind: Chunk) -> None:
    accepted.use(FIRST, packet(kind), LATER)
    assert accepted.choose(LATER + 60) == FIRST


def test_a_path_that_the_system_refuses_is_left_at_once(accepted: Association) -> None:
    answer_probes(accepted, LATER)
    accepted.fail(FIRST)
    assert accepted.choose(LATER) == SECOND


def test_a_forged_init_adds_no_address_to_an_association(associations: Associations, accepted: Association) -> None:
    before = list(accepted.paths)
    receive(associations, accepted, with_addresses(init(back=True), ["203.0.113.66"]))
    associations.prepare(accepted, init(Chunk.INIT_ACK, own=78))
    receive(associations, accepted, packet(Chunk.COOKIE_ECHO, 77, back=True))  # that of the peer, once more
    assert list(accepted.paths) == before


def test_addresses_come_from_the_init_whose_cookie_comes_back(associations: Associations) -> None:
    made = associations.add(FIRST, PORTS, OURS)
    assert made is not None
    for own, hosts in ((77, PEERS), (78, ["203.0.113.66"])):
        receive(associations, made, with_addresses(init(back=True), hosts))
        associations.prepare(made, init(Chunk.INIT_ACK, own=own))
    receive(associations, made, packet(Chunk.COOKIE_ECHO, 77, back=True))
    assert made.hosts == PEERS


@pytest.mark.parametrize(("tag", "hosts"), [(9, PEERS), (10, PEERS[:1])])
def test_addresses_in_an_init_ack_count_if_it_answers_our_init(
    associations: Associations, tag: int, hosts: tuple[str, ...]
) -> None:
    made = associations.add(FIRST, PORTS, OURS)
    assert made is not None
    associations.prepare(made, init(own=9))
    receive(associations, made, with_addresses(init(Chunk.INIT_ACK, tag, back=True), PEERS))
    assert made.hosts == hosts


def test_a_flood_of_peers_takes_the_number_of_no_association_that_a_socket_has(associations: Associations) -> None:
    held = associations.add(FIRST, PORTS, OURS)
    assert held is not None
    held.held = True
    numbers = set()
    for port in range(3 * sctp_association.MOST):
        made = associations.add(FIRST, (3868, port + 1), OURS)
        assert made is not None
        numbers.add(made.number)
    assert associations.find(FIRST, head(packet(Chunk.DATA, back=True))) is held
    assert held.number not in numbers
    assert len(numbers) == sctp_association.MOST - 1


def test_a_flood_of_peers_takes_the_number_of_no_association_that_is_set_up(
    associations: Associations, accepted: Association
) -> None:
    """Its socket may not be taken yet; with another one's number it would be taken as a socket of that peer."""
    for port in range(2 * sctp_association.MOST):
        assert associations.add(FIRST, (3868, port + 1), OURS) is not None
    assert associations.get(accepted.number) is accepted
    accepted.established = False  # as its socket is closed
    for port in range(sctp_association.MOST):
        assert associations.add(FIRST, (3869, port + 1), OURS) is not None
    assert associations.get(accepted.number) is not accepted


def test_where_sockets_have_all_numbers_no_other_peer_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sctp_association, "MOST", 2)
    few = Associations(lambda _number: None)
    for port in (1, 2):
        made = few.add(FIRST, (3868, port), OURS)
        assert made is not None
        made.held = True
    assert few.add(FIRST, (3868, 3), OURS) is None


@pytest.mark.parametrize(("held", "hosts"), [(True, PEERS), (False, (*PEERS, "198.51.100.9"))])
def test_a_peer_that_comes_back_from_its_port_has_the_addresses_that_it_lists_now(
    associations: Associations, accepted: Association, *, held: bool, hosts: tuple[str, ...]
) -> None:
    accepted.held = held
    receive(associations, accepted, with_addresses(init(back=True), [PEERS[0], "198.51.100.9"]))
    associations.prepare(accepted, init(Chunk.INIT_ACK, own=88))
    receive(associations, accepted, packet(Chunk.COOKIE_ECHO, 88, back=True))
    assert set(accepted.hosts) == set(hosts)
