"""Names in connections: cut at every octet, out of order, sent twice, and what is done to have us lose the thread."""

from __future__ import annotations

import itertools
import random

import budget
import h11
import pytest
from flows import (
    ACK,
    FIN,
    FIRST,
    FIRST_DOWN,
    RST,
    SERVER,
    SERVER6,
    SYN,
    URG,
    Flow,
    client_hello,
    in_records,
    with_extension,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.wire.shown import UNREADABLE, By, Shown

HELLO = client_hello()


REQUEST = b"GET /firmware HTTP/1.1\r\nHost: listed.example\r\n\r\n"
OTHER = b"GET /firmware HTTP/1.1\r\nHost: hidden.example\r\n\r\n"
LISTED, HIDDEN = (Shown(each, By.HTTP, "/firmware") for each in ("listed.example", "hidden.example"))


@pytest.mark.parametrize("far", [SERVER, SERVER6])
def test_a_name_is_shown_once_it_is_whole(far: str) -> None:
    flow = Flow(far=far).open()
    assert (flow.watch.shown, flow.watch.pending) == ((), True)
    assert not flow.say(HELLO[:-1])
    assert flow.watch.pending
    assert flow.say(HELLO[-1:], len(HELLO) - 1)
    assert (flow.watch.shown, flow.watch.pending) == ((Shown("server.example", By.TLS),), False)
    flow.answer(b"\x16\3\3", acknowledged=len(HELLO))
    assert not flow.say(b"\x17\3\3\0\1x", len(HELLO))
    assert flow.hosts == ["server.example"]


@pytest.mark.parametrize("octets", [HELLO, in_records(HELLO, 1), in_records(HELLO, 100), REQUEST])
def test_octet_after_octet(octets: bytes) -> None:
    flow = Flow().open()
    changes = [at for at in range(len(octets)) if flow.say(octets[at : at + 1], at)]
    assert changes == [len(octets) - 1]
    assert flow.hosts in (["server.example"], ["listed.example"])


@settings(max_examples=budget.examples(60))
@given(st.data())
def test_segments_in_any_order_and_some_twice(data: st.DataObject) -> None:
    octets = data.draw(st.sampled_from([HELLO, in_records(HELLO, 90), REQUEST + REQUEST]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(octets) - 1), max_size=20)))
    pieces = [(at, octets[at:end]) for at, end in itertools.pairwise((0, *cuts, len(octets)))]
    pieces += [(max(at - 9, 0), octets[max(at - 9, 0) : at + 30]) for at, _ in pieces[:: data.draw(st.integers(1, 4))]]
    random.Random(data.draw(st.integers(0, 1000))).shuffle(pieces)
    flow = Flow().open()
    for at, piece in pieces:
        flow.say(piece, at)
    assert flow.hosts in (["server.example"], ["listed.example"], ["listed.example"] * 2)
    assert not flow.watch.pending


def test_requests_one_after_another_and_several_in_a_segment() -> None:
    flow = Flow(80).open()
    body = b"POST /a/../b?c HTTP/1.1\r\nHost: LISTED.example.:80\r\nContent-Length: 5\r\n\r\nGET /"
    assert flow.say(body)
    assert flow.watch.shown == (Shown("listed.example", By.HTTP, "/b"),)
    assert flow.say(OTHER, len(body))
    assert [each.host for each in flow.watch.shown] == ["listed.example", "hidden.example"]
    assert flow.answer(acknowledged=len(body))
    assert flow.watch.shown == (HIDDEN,)  # the server has the first, so that it cannot come there again
    flow.answer(acknowledged=len(body + OTHER))
    assert flow.say(REQUEST + OTHER, len(body + OTHER))
    assert flow.watch.shown == (LISTED, HIDDEN)
    end = len(body + OTHER + REQUEST + OTHER)
    flow.answer(acknowledged=end)
    assert flow.say(b"\r\n" + REQUEST[:20], end)
    assert (flow.watch.shown, flow.watch.pending) == ((LISTED, HIDDEN), True)  # octets of somebody pass
    assert flow.say(REQUEST[20:], end + 22)
    assert (flow.watch.shown, flow.watch.pending) == ((LISTED,), False)


def test_a_body_in_chunks_is_skipped_as_h11_writes_it() -> None:
    http = h11.Connection(h11.CLIENT)
    fields = [("Host", "listed.example"), ("Transfer-Encoding", "chunked"), ("Trailer", "Sum")]
    parts = [http.send(h11.Request(method="PUT", target="/firmware", headers=fields))]
    parts += [http.send(h11.Data(data=OTHER * times)) for times in (1, 300, 7)]
    parts += [http.send(h11.EndOfMessage(headers=[("Sum", "1")])), REQUEST, OTHER]
    octets = b"".join(each or b"" for each in parts)
    for size in (1, 7, 1400, len(octets)):
        flow = Flow(80).open()
        shown: list[Shown] = []
        for at in range(0, len(octets), size):
            if flow.say(octets[at : at + size], at):
                shown += flow.watch.shown
            flow.answer(acknowledged=at + size)
        assert list(dict.fromkeys(shown)) == [LISTED, HIDDEN]
        assert flow.watch.shown[-1] == HIDDEN


@pytest.mark.parametrize("trailer", [b"\r\n", b"\n", b"Sum: 1\r\n\r\n", b"Sum: 1\n\n"])
def test_no_end_of_a_chunked_body_hides_the_next_request(trailer: bytes) -> None:
    """Servers take a line feed for the end of a line as well (RFC 9112 2.2)."""
    flow = Flow(80).open()
    body = b"POST /firmware HTTP/1.1\r\nHost: listed.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + trailer
    flow.say(body)
    flow.answer(acknowledged=len(body))
    flow.say(OTHER, len(body))
    assert flow.watch.shown == (HIDDEN,)


def test_a_long_body_is_skipped_whatever_of_it_comes() -> None:
    flow = Flow(80).open()
    head = b"PUT /firmware HTTP/1.1\r\nHost: listed.example\r\nContent-Length: 900000\r\n\r\n"
    flow.say(head)
    flow.answer(acknowledged=len(head))
    places = list(range(len(head), len(head) + 900_000, 1000))
    for at in random.Random(1).sample(places, len(places)):
        assert not flow.say(b"GET /" + bytes(995), at)
    assert flow.say(OTHER, len(head) + 900_000)
    assert flow.watch.shown == (HIDDEN,)


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_second_copy_that_differs(*, acknowledged: bool) -> None:
    flow = Flow(80).open()
    flow.say(REQUEST)
    if acknowledged:
        flow.answer(acknowledged=len(REQUEST))
    assert not flow.say(REQUEST)
    assert flow.say(OTHER) is not acknowledged  # the server has the first, and does not look at another
    assert flow.watch.shown == ((LISTED,) if acknowledged else (UNREADABLE,))
    assert flow.say(OTHER, len(REQUEST)) is acknowledged
    assert flow.watch.shown == ((HIDDEN,) if acknowledged else (UNREADABLE,))


def test_a_second_copy_of_what_waits_and_of_a_hello() -> None:
    flow = Flow().open()
    flow.say(HELLO[10:], 10)
    assert flow.say(HELLO[10:-5] + bytes(5), 10)
    assert flow.watch.shown == (UNREADABLE,)
    flow = Flow().open()
    flow.say(HELLO + b"\x17\3\3\0\1x")
    assert not flow.say(HELLO)
    assert flow.say(HELLO.replace(b"server", b"hidden"))
    assert flow.watch.shown == (UNREADABLE,)


def test_octets_that_no_receiver_takes_show_nothing() -> None:
    flow = Flow(80).open()
    packet = flow.tcp(OTHER, ACK, FIRST + 1)
    assert not flow.feed(packet[:-1] + b"x")  # a wrong checksum
    fragment = bytearray(packet)
    fragment[6:8], fragment[10:12] = b"\x20\0", b"\0\0"
    assert not flow.feed(bytes(fragment))
    assert not flow.feed(packet[:30])
    flow.say(REQUEST)
    assert flow.watch.shown == (LISTED,)


def test_one_connection_after_another_and_a_syn_that_nobody_answers() -> None:
    flow = Flow(80).open()
    flow.say(REQUEST)
    flow.answer(acknowledged=len(REQUEST))
    flow.open(FIRST + 5000)
    assert (flow.watch.shown, flow.watch.pending) == ((), True)
    flow.say(OTHER)
    assert flow.watch.shown == (HIDDEN,)
    assert flow.feed(flow.tcp(b"", SYN, FIRST - 90))  # the server is amid the other
    flow.first = FIRST - 90
    assert flow.say(REQUEST)
    assert flow.watch.shown == (UNREADABLE,)


def test_octets_of_a_connection_that_nobody_saw_begin() -> None:
    flow = Flow(80)
    assert not flow.say(b"")
    assert not flow.answer(b"HTTP/1.1 200 OK")
    assert not flow.feed(flow.tcp(REQUEST, ACK)[:-1])  # which no receiver takes
    assert (flow.watch.shown, flow.watch.pending) == ((), True)
    assert flow.say(REQUEST)
    assert (flow.watch.shown, flow.watch.pending) == ((UNREADABLE,), False)
    flow.open()
    assert flow.watch.shown == ()
    assert flow.say(REQUEST, -400)
    assert flow.watch.shown == (UNREADABLE,)


def test_a_syn_that_comes_twice_and_a_probe_of_a_connection_that_is_idle() -> None:
    flow = Flow(80).open()
    assert not flow.say(b"\0", -1)
    flow.say(REQUEST)
    assert not flow.feed(flow.tcp(b"", SYN, FIRST))
    assert flow.watch.shown == (LISTED,)


@pytest.mark.parametrize("answered", [False, True])
def test_a_connection_that_begins_with_the_number_of_the_one_before(*, answered: bool) -> None:
    """By the same ports, behind a reset: what the server has acknowledged of the other is no copy of what it reads."""
    flow = Flow(80).open()
    flow.say(REQUEST)
    flow.answer(acknowledged=len(REQUEST))
    begun = flow.watch.begun
    flow.feed(flow.tcp(b"", RST, FIRST + 1 + len(REQUEST)))
    assert flow.feed(flow.tcp(b"", SYN, FIRST))
    assert (flow.watch.shown, flow.watch.begun) == ((), begun + 1)
    if answered:
        flow.feed(flow.tcp(b"", SYN | ACK, 9000, FIRST + 1, up=False), up=False)
    flow.say(OTHER)
    assert flow.watch.shown == ((HIDDEN,) if answered else (UNREADABLE,))


@pytest.mark.parametrize("flags", [SYN, SYN | ACK])
def test_octets_in_a_syn_are_of_no_name(flags: int) -> None:
    """RFC 7413; a server that does not take them reads from the next segment on. The client goes on without."""
    for flow in (Flow(80), Flow(80).open()):
        assert flow.feed(flow.tcp(REQUEST, flags, FIRST))
        assert (flow.watch.shown, flow.watch.pending) == ((UNREADABLE,), False)
        assert not flow.say(REQUEST)
        assert flow.open().watch.shown == ()
        flow.say(REQUEST)
        assert flow.watch.shown == (LISTED,)


def test_a_client_at_the_other_end() -> None:
    flow = Flow(80).open()
    flow.say(REQUEST)
    flow.feed(flow.tcp(b"", SYN, 200, up=False), up=False)
    assert flow.feed(flow.tcp(b"", SYN | ACK, 99, 201))
    assert not flow.say(OTHER, 99 - FIRST)
    assert (flow.watch.shown, flow.watch.pending) == ((), False)


@pytest.mark.parametrize("acknowledged", [0, 201, FIRST_DOWN + 1])
def test_an_answer_of_the_device_to_nobody_ends_no_reading(acknowledged: int) -> None:
    flow = Flow(80).open()
    assert not flow.feed(flow.tcp(b"", SYN | ACK, 99, acknowledged))
    assert flow.say(REQUEST)
    assert flow.watch.shown == (LISTED,)


def test_what_some_receivers_leave_out_and_what_fills_memory() -> None:
    flow = Flow(80).open()
    assert flow.say(REQUEST, flags=ACK | URG)
    assert flow.watch.shown == (UNREADABLE,)
    flow = Flow(80).open()
    for at in range(2, 600, 2):
        flow.say(b"x", at)
    assert flow.watch.shown == (UNREADABLE,)
    flow = Flow(80).open()
    flow.say(b"x", 1 << 23)
    assert flow.watch.shown == (UNREADABLE,)


def test_tunnels_show_what_goes_through_them() -> None:
    connect = b"CONNECT proxied.example:443 HTTP/1.1\r\nHost: proxied.example:443\r\n\r\n"
    flow = Flow(3128).open()
    flow.say(connect)
    assert flow.watch.shown == (Shown("proxied.example", By.CONNECT),)
    flow.answer(acknowledged=len(connect))
    assert flow.say(HELLO, len(connect))
    assert flow.watch.shown == (Shown("server.example", By.TLS),)
    flow = Flow(3128).open()
    flow.say(connect + b"\x10\x0c")
    assert (flow.hosts, flow.watch.pending) == (["proxied.example"], False)
    upgrade = b"GET / HTTP/1.1\r\nHost: listed.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    flow = Flow(80).open()
    flow.say(upgrade)
    assert not flow.say(b"\x82\x85abcdefghi", len(upgrade))
    assert flow.hosts == ["listed.example"]
    flow = Flow(80).open()
    flow.say(upgrade)
    flow.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", len(upgrade))
    assert flow.watch.shown == (UNREADABLE,)


def test_a_second_client_hello_is_read_as_well() -> None:
    flow = Flow().open()
    flow.say(HELLO)
    flow.answer(acknowledged=len(HELLO))
    changed = b"\x14\3\3\0\1\1"
    second = changed + HELLO.replace(b"server", b"hidden")
    assert [at for at in range(len(second)) if flow.say(second[at : at + 1], len(HELLO) + at)][-1] == len(second) - 1
    assert flow.hosts == ["hidden.example"]


@pytest.mark.parametrize(
    "octets",
    [
        b"\x16\0\0\5",
        b"SSH-2.0-x\r\n",
        b"\x10\x0c\0\4MQTT",
        b"##\1",
        b"login 5\r\n",
        b"\0" * 40,
        client_hello(None),
    ],
)
def test_what_shows_no_name(octets: bytes) -> None:
    for size in (1, len(octets)):
        flow = Flow().open()
        for at in range(0, len(octets), size):
            flow.say(octets[at : at + size], at)
        assert (flow.watch.shown, flow.watch.pending) == ((), False)


@pytest.mark.parametrize(
    "octets", [b"\x16\3\1\0\0", b"\x16\3\1\0\4\2\0\0\0", b"\x16\3\1\0\5\1\0\0\1\7", OTHER[:-4] + b"\0\r\n\r\n"]
)
def test_what_begins_like_something_else(octets: bytes) -> None:
    for size in (1, len(octets)):
        flow = Flow().open()
        for at in range(0, len(octets), size):
            flow.say(octets[at : at + size], at)
        assert (flow.watch.shown, flow.watch.pending) == ((UNREADABLE,), False)


def test_half_an_empty_line_between_requests() -> None:
    flow = Flow(80).open()
    flow.say(REQUEST + b"\r")
    assert (flow.watch.shown, flow.watch.pending) == ((LISTED,), True)
    flow.answer(acknowledged=len(REQUEST) + 1)
    flow.say(b"\n\r\n" + OTHER, len(REQUEST) + 1)
    assert flow.watch.shown == (HIDDEN,)
    flow.say(b"\rGET /", len(REQUEST + OTHER) + 4)
    assert flow.watch.shown == (UNREADABLE,)


@settings(max_examples=budget.examples(150))
@given(
    st.lists(st.tuples(st.binary(max_size=80), st.integers(-50, 300), st.booleans()), max_size=12), st.integers(0, 99)
)
def test_octets_of_any_kind(pieces: list[tuple[bytes, int, bool]], cut: int) -> None:
    flow = Flow().open()
    flow.say(REQUEST[:cut])
    for octets, at, up in pieces:
        if up:
            flow.say(octets, at)
        else:
            flow.answer(octets, at, at)
        flow.feed(octets or b"E", up=up)


@pytest.mark.parametrize(
    "between",
    [
        *(b"\x14\3\3\0\1\1", b"\x15\3\3\0\2\1\x5a", b"\x16\3\3\0\0", b"\x18\3\3\0\1x"),
        *(b"\x14\7\3\0\1\1", b"\x15\0\3\0\2\1\x5a", b"\x16\xfe\3\0\0"),
    ],
)
@pytest.mark.parametrize("size", [1, 6, 4000])
def test_what_servers_leave_out_hides_no_second_client_hello(between: bytes, size: int) -> None:
    """OpenSSL leaves out alerts (user_canceled) and empty records before the answer to its HelloRetryRequest."""
    flow, octets = Flow().open(), between * 2 + HELLO.replace(b"server", b"hidden")
    flow.say(HELLO)
    flow.answer(acknowledged=len(HELLO))
    for at in range(0, len(octets), size):
        flow.say(octets[at : at + size], len(HELLO) + at)
    assert flow.hosts == ["hidden.example"]


@pytest.mark.parametrize(("offered", "shown"), [(True, "hidden.example"), (False, "server.example")])
def test_early_data_is_looked_behind_where_it_was_offered(*, offered: bool, shown: str) -> None:
    """RFC 8446 4.2.10: who asks for another hello leaves it out. Else such records are of a connection that goes on."""
    early = b"\0\x2a\0\0" * offered
    first = with_extension(HELLO, early)
    second = b"\x17\3\3\x08\0" + bytes(2048) + HELLO.replace(b"server", b"hidden")
    flow = Flow().open()
    flow.say(first)
    flow.answer(acknowledged=len(first))
    flow.say(second, len(first))
    assert flow.hosts == [shown]


def test_a_second_client_hello_in_the_record_of_the_first() -> None:
    both = HELLO[5:] + HELLO[5:].replace(b"server", b"hidden")
    flow = Flow().open()
    flow.say(HELLO[:3] + len(both).to_bytes(2) + both)
    assert flow.hosts == ["server.example", "hidden.example"]
    flow = Flow().open()
    flow.say(HELLO[:3] + (len(HELLO) - 4).to_bytes(2) + HELLO[5:] + b"\2")
    assert flow.watch.shown[-1] == UNREADABLE


@pytest.mark.parametrize("second", [b"GET /b HTTP/1.0\r\n\r\n", b"GET /b HTTP/1.1\r\nHost:\r\n\r\n"])
def test_a_request_without_a_host_behind_one_that_says_it(second: bytes) -> None:
    flow = Flow(80).open()
    flow.say(REQUEST)
    flow.answer(acknowledged=len(REQUEST))
    assert flow.say(second, len(REQUEST))
    assert (flow.watch.shown, flow.watch.pending) == ((Shown("", By.HTTP, "/b"),), False)


def test_a_line_for_a_path_behind_an_upgrade_that_the_server_does_not_make() -> None:
    """nginx answers to HTTP/0.9 there."""
    upgrade = REQUEST[:-2] + b"Upgrade: x\r\n\r\n"
    flow = Flow(80).open()
    flow.say(upgrade)
    assert flow.say(b"GET /b\r\n", len(upgrade))
    assert flow.watch.shown[-1] == Shown("", By.HTTP, "/b")


def test_what_is_no_trailer() -> None:
    flow = Flow(80).open()
    flow.say(b"POST / HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\r\n" + OTHER)
    assert UNREADABLE in flow.watch.shown


@pytest.mark.parametrize("kind", [20, 21, 23, 24])
def test_a_record_of_tls_before_the_handshake_is_of_no_name(kind: int) -> None:
    """What OpenSSL refuses others may leave out, and read the name behind it."""
    flow = Flow().open()
    assert not flow.say(bytes((kind,)))
    assert flow.watch.pending
    assert flow.say(b"\3\3\0\1\1" + HELLO, 1)
    assert flow.watch.shown == (UNREADABLE,)


@pytest.mark.parametrize("first", [b"M" * 40 + b" / HTTP/1.1\r\nHost: pay.example\r\n\r\n", b" ", b"\r", b"\r\n", b"]"])
def test_a_request_that_servers_answer_in_their_own_ways_hides_no_other_behind_it(first: bytes) -> None:
    flow = Flow(80).open()
    flow.say(first)
    flow.say(REQUEST, len(first))
    assert flow.watch.shown[-1] in (LISTED, UNREADABLE)


@pytest.mark.parametrize("head", [OTHER[:-2], OTHER[:-4], OTHER[:-3], b"GET /firmware", OTHER[:20]])
@pytest.mark.parametrize("at_once", [False, True])
def test_a_head_that_ends_with_its_connection(head: bytes, *, at_once: bool) -> None:
    """Python's server answers to it."""
    flow = Flow(80).open()
    flow.say(REQUEST)
    flow.answer(acknowledged=len(REQUEST))
    flow.say(head[: len(head) * (not at_once)], len(REQUEST))
    assert flow.hosts == ["listed.example"]
    begun = len(head) * (not at_once)
    assert flow.say(head[begun:], len(REQUEST) + begun, ACK | FIN)
    assert flow.hosts[-1] in ("hidden.example", "unreadable")
    flow.say(REQUEST[-4:], len(REQUEST + head))
    assert flow.watch.shown == (UNREADABLE,)


def test_an_end_that_overtakes_octets_and_one_behind_whole_requests() -> None:
    for head in (b"", OTHER[:-2]):
        flow = Flow(80).open()
        assert not flow.say(b"", len(REQUEST + head), ACK | FIN)
        flow.say((REQUEST + head)[20:], 20)
        assert flow.say((REQUEST + head)[:20])
        assert flow.hosts == ["listed.example", "hidden.example"][: 1 + bool(head)]
        assert not flow.say(b"", len(REQUEST + head), ACK | FIN)


@pytest.mark.parametrize(
    "octets",
    [b"", b"temperature=21", b"\x16", HELLO[:50], b"GET /firmware HTTP/1.0"],
    ids=["nothing", "a word", "an octet", "half a hello", "half a head"],
)
def test_an_end_behind_what_shows_no_name(octets: bytes) -> None:
    flow = Flow(80).open()
    flow.say(octets)
    flow.say(b"", len(octets), ACK | FIN)
    assert flow.watch.shown == ((Shown("", By.HTTP, "/firmware"),) if octets[:1] == b"G" else ())


def test_a_body_that_its_connection_cuts_off() -> None:
    flow = Flow(80).open()
    octets = b"PUT /firmware HTTP/1.1\r\nHost: listed.example\r\nContent-Length: 900\r\n\r\n" + OTHER
    flow.say(octets, 0, ACK | FIN)
    assert flow.watch.shown == (LISTED,)


@pytest.mark.parametrize("size", [512, 4096])
def test_chunks_are_skipped_while_a_server_acknowledges_none_of_them(size: int) -> None:
    head = b"POST /firmware HTTP/1.1\r\nHost: listed.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n" % size + b"v" * size + b"\r\n"
    octets = head + chunk * (900_000 // size) + b"0\r\n\r\n" + OTHER
    flow = Flow(80).open()
    for at in range(0, len(octets), 1300):
        flow.say(octets[at : at + 1300], at)
    assert flow.watch.shown == (LISTED, HIDDEN)


@pytest.mark.parametrize(("again", "shown"), [(b"200\r\n", LISTED), (b"100\r\n", UNREADABLE)])
def test_the_size_of_a_chunk_that_is_sent_again_has_to_be_the_same(again: bytes, shown: Shown) -> None:
    head = b"POST /firmware HTTP/1.1\r\nHost: listed.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    flow = Flow(80).open()
    flow.say(head + (b"200\r\n" + b"v" * 512 + b"\r\n") * 3)
    flow.say(again, len(head) + 5 + 512 + 2)
    assert flow.watch.shown == (shown,)
