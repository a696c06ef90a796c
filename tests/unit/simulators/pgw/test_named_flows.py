"""Names of a list are reached: large ClientHellos, answers to refused questions, SRV."""

from __future__ import annotations

import dns.message
import dns.rcode
import pytest
from directed import RESOLVER, Device, device, to
from flows import client_hello, with_extension
from gateways import SERVER, Gateways

from simwarden.wire import ip

#: octets of a segment
SIZE = 1300


def padded(octets: int, name: str = "up.example") -> bytes:
    """Return a ClientHello with so much padding (RFC 7685)."""
    return with_extension(client_hello(name), (21).to_bytes(2) + octets.to_bytes(2) + bytes(octets))


async def begin(it: Device, octets: bytes) -> int:
    """Send octets in a new connection; return the number of octets that passed."""
    assert await it.connect(SERVER, to=443)
    for at in range(0, len(octets), SIZE):
        if not await it.say(SERVER, octets[at : at + SIZE], at, to=443):
            return at
    return len(octets)


@pytest.mark.parametrize("size", [0, 5000, 14_000])
@pytest.mark.parametrize(("name", "passes"), [("up.example", True), ("no.example", False)])
async def test_a_large_client_hello_is_read_to_its_end(size: int, name: str, *, passes: bool) -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["https://up.example"])
        assert await it.look_up("up.example", SERVER)
        hello = padded(size, name)
        assert (await begin(it, hello) == len(hello)) is passes


@pytest.mark.parametrize(
    ("octets", "most"),
    [(b"\x16\3\1\x40\0\1\0\x3f\xfc" + bytes(60_000), 17_000), (b"GET /" + b"a" * 60_000, 4096), (b"?" * 60_000, 4096)],
    ids=["hello without a name", "request", "nothing"],
)
async def test_octets_of_a_flow_without_a_name_are_bounded(octets: bytes, most: int) -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=["https://up.example", "http://up.example:443"])
        assert await it.look_up("up.example", SERVER)
        assert most - 2 * SIZE < await begin(it, octets) <= most


@pytest.mark.parametrize("setting", ["drop", "answer", "nxdomain"])
@pytest.mark.parametrize("server", [RESOLVER, SERVER])
@pytest.mark.parametrize("lists", [{"whitelist": ["https://up.example"]}, {"blacklist": ["no.example"]}])
async def test_a_refused_question_is_answered_in_the_name_of_the_apns_resolver(
    setting: str, server: str, lists: dict[str, list[str]]
) -> None:
    async with Gateways(pgw={"refused_questions": setting}) as bench:
        it = await device(bench, **lists)
        asked = dns.message.make_query("no.example", "A")
        assert await it.up(to(it.own, server, 53, asked.to_wire(), 4000)) == []
        answers = [ip.decode(each) for _, each in bench.enb.received()]
        assert len(answers) == (setting != "drop" and server == RESOLVER)
        for each in answers:
            datagram = ip.decode_udp(each)
            answer = dns.message.from_wire(datagram.payload)
            assert (each.source, each.destination) == (RESOLVER, it.own)
            assert (datagram.source_port, datagram.destination_port) == (53, 4000)
            assert asked.is_response(answer)
            assert answer.rcode() == {"answer": dns.rcode.REFUSED, "nxdomain": dns.rcode.NXDOMAIN}[setting]


@pytest.mark.parametrize(
    "payload",
    [b"", bytes(12), dns.message.make_response(dns.message.make_query("a.b", "A", id=7)).to_wire()],
    ids=["nothing", "no question", "an answer"],
)
async def test_no_answer_comes_to_what_is_no_question(payload: bytes) -> None:
    async with Gateways(pgw={"refused_questions": "answer"}) as bench:
        it = await device(bench, whitelist=["https://up.example"])
        assert await it.up(to(it.own, RESOLVER, 53, payload, 4000)) == []
        assert bench.enb.received() == []


@pytest.mark.parametrize(
    ("entry", "kind", "passes"),
    [
        ("*.iot.example:8883", "SRV", True),
        ("*.iot.example:8883", "NAPTR", True),
        ("*.iot.example:8883", "TXT", False),
        ("_mqtt._tcp.iot.example:8883", "SRV", False),
    ],
)
async def test_services_are_looked_up_below_a_listed_wildcard(entry: str, kind: str, *, passes: bool) -> None:
    async with Gateways() as bench:
        it = await device(bench, whitelist=[entry])
        question = to(it.own, RESOLVER, 53, dns.message.make_query("_mqtt._tcp.iot.example", kind).to_wire())
        assert await it.up(question) == ([question] if passes else [])
