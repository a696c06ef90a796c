"""Damaged answers and orders of a PCRF and an OCS, at a PGW: nothing passes that they do not allow.

What an OCS has granted is what python-diameter finds of units in its answers. Of what a PCRF says no damage lists the
other server, whose address is far from the listed one. Who comes later is served.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import budget
import pytest
from diameter.message import Avp
from diameter.message.avp import AvpGrouped
from diameter.message.packer import Unpacker
from gateways import IMSI, NUMBER, Gateways, udp
from mutation import mutate
from scapy.contrib import gtp_v2 as scapy

from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.testing import ScriptedServer
from simwarden.testing.diameter import REALM
from simwarden.trace.events import Fault, PeerFault
from simwarden.wire.diameter import encode, request
from simwarden.wire.diameter.codec import HEADER_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.wire.diameter import Avps, Message

#: of damaged orders one in twenty ends a flow: fewer cases might have none
CASES = max(200, budget.WIRE_CASES // 250)
LISTED, OTHER = "192.0.2.10", "203.0.113.66"
#: to which port the datagrams of `gateways` go, and how many octets they have here
PORT, SIZE = 40001, 128
#: CC-Total-Octets (RFC 8506 8.19)
OCTETS = 421

FLOW = [("Flow-Description", f"permit out 17 from {LISTED} {PORT} to assigned"), ("Flow-Direction", 3)]
RULE: Avps = [
    ("Charging-Rule-Name", b"listed"),
    ("Rating-Group", 1),
    ("Flow-Information", FLOW),
    ("Flow-Status", 2),
    ("Precedence", 100),
]
RULES: Avps = [("Charging-Rule-Install", [("Charging-Rule-Definition", RULE)])]
UNITS: Avps = [
    (
        "Multiple-Services-Credit-Control",
        [
            ("Granted-Service-Unit", [("CC-Total-Octets", 3 * SIZE)]),
            ("Rating-Group", 1),
            ("Validity-Time", 3600),
            ("Result-Code", 2001),
        ],
    )
]


def shaken(rng: random.Random, avps: Avps) -> Avps:
    """Leave AVPs out, repeat them, exchange them, and take groups apart."""
    found: Avps = []
    for name, value in avps:
        inner = isinstance(value, list)
        match rng.randrange(24):
            case 0:
                continue
            case 1:
                found += [(name, value)] * 2
            case 2 if inner:
                found += shaken(rng, value)
            case 3 if inner:
                found.append((name, []))
            case _:
                found.append((name, shaken(rng, value) if inner else value))
    if rng.random() < 0.1:
        rng.shuffle(found)
    return found


class Damaging(ScriptedServer):
    """A server whose answers are damaged from `damage` on; what it sent is kept."""

    requests = ("credit-control",)
    says: Avps

    async def start(self) -> None:
        await super().start()
        self.damage: Callable[[Message], bytes] | None = None
        self.sent: list[bytes] = []

    def credit_control(self, asked: Message) -> Any:
        return self.says if asked.get("CC-Request-Type") != 3 else []

    async def answer(self, message: Message, peer: Any) -> Message:
        answer = await super().answer(message, peer)
        if self.damage is not None and message.get("CC-Request-Type") != 3:
            answer.body = self.damage(answer)
        self.sent.append(encode(answer))
        return answer


class DamagingPcrf(Damaging):
    declaration = Declaration(kind="pcrf", title="PCRF", lane=80, config=ElementConfig, listens=("Gx",))
    interface, says = "Gx", RULES


class DamagingOcs(Damaging):
    declaration = Declaration(kind="ocs", title="OCS", lane=86, config=ElementConfig, listens=("Gy",))
    interface, says = "Gy", UNITS


def damage(rng: random.Random) -> Callable[[Message], bytes]:
    """Damage the AVPs of a message: in their order, or octet by octet."""

    def damaged(message: Message) -> bytes:
        message.avps[:] = shaken(rng, message.avps)
        octets = encode(message)[HEADER_LENGTH:]
        return mutate(rng, octets) if rng.random() < 0.7 else octets

    return damaged


def units(octets: bytes) -> int:
    """Return the octets that an answer grants at most, as python-diameter reads it; what it cannot read grants none."""
    found, unpacker = 0, Unpacker(octets[HEADER_LENGTH:])

    def count(avp: Avp) -> int:
        if isinstance(avp, AvpGrouped):
            return sum(map(count, avp.value))
        return int(avp.value) if avp.code == OCTETS else 0

    try:
        while not unpacker.is_done():
            found += count(Avp.from_unpacker(unpacker))
    except Exception:  # noqa: BLE001 - whatever it makes of damaged octets
        return found
    return found


class Net(Gateways):
    """Sessions that a PCRF rules, or an OCS grants octets."""

    def __init__(self, server: type[Damaging]) -> None:
        kind = server.declaration.kind
        super().__init__(pgw={"apns": {"meters": {"gx" if kind == "pcrf" else "gy": kind}}})
        self.server = self.add(kind, server)
        self._cards = 0

    async def begin(self) -> Any:
        """Ask for a session of another card; None: it was refused."""
        self._cards += 1
        imsi, number = f"{int(IMSI) + self._cards:015}".encode(), str(int(NUMBER) + self._cards).encode()
        made = await self.mme.create(imsi=scapy.IE_IMSI(IMSI=imsi), msisdn=scapy.IE_MSISDN(digits=number))
        return made if made.accepted else None

    async def passed(self, made: Any, address: str, packets: int = 1) -> int:
        """Send packets of a device; how many octets of them reached SGi."""
        self.enb.send(made, *[udp(made["paa"].ipv4, address, payload=bytes(SIZE - 28))] * packets)
        await self.settle()
        return sum(map(len, self.net.received()))

    async def end(self, made: Any) -> None:
        if self.pgw.core.sessions:  # it may have ended by what it was told
            await self.mme.delete(made["sender_f_teid"].teid)
        await self.settle()

    def held(self) -> None:
        """Nothing of ours broke, and something was damaged."""
        assert not self.of(Fault)
        assert self.of(PeerFault)


@pytest.mark.parametrize("message", ["initial", "re-auth"])
async def test_no_damage_to_what_a_pcrf_says_lets_packets_pass_to_others(message: str) -> None:
    rng = random.Random(f"{message} {budget.SEED}")
    async with Net(DamagingPcrf) as net:
        served = 0
        for _ in range(CASES):
            net.server.damage = damage(rng) if message == "initial" else None
            made = await net.begin()
            if message == "re-auth":
                await order(net, rng)
            if made is None:
                continue
            assert not await net.passed(made, OTHER), net.server.sent[-1].hex()
            served += await net.passed(made, LISTED) > 0
            await net.end(made)
        assert CASES * 0.1 < served < CASES
        net.server.damage = None
        made = await net.begin()
        assert [await net.passed(made, each) for each in (LISTED, OTHER)] == [SIZE, 0]
        net.held()


async def order(net: Net, rng: random.Random) -> None:
    """Have other rules told by a RAR that is damaged."""
    session, host = net.server.asked[-1].get("Session-Id"), f"pgw.{REALM}"
    avps: Avps = [("Re-Auth-Request-Type", 0), ("Charging-Rule-Remove", [("Charging-Rule-Name", b"listed")]), *RULES]
    asked = net.server.node.make("Re-Auth-Request", avps, realm=REALM, host=host, point="Gx", session=session)
    asked.body = damage(rng)(asked)
    try:
        net.server.sent.append(encode(asked))
        await net.server.node.ask(host, asked)
    except Exception:  # noqa: BLE001 - it is not answered
        return


@pytest.mark.parametrize("message", ["initial", "update"])
async def test_no_damage_to_what_an_ocs_says_lets_more_octets_pass_than_it_grants(message: str) -> None:
    rng = random.Random(f"{message} {budget.SEED}")
    async with Net(DamagingOcs) as net:
        served = 0
        for _ in range(CASES):
            net.server.sent.clear()
            net.server.damage = damage(rng) if message == "initial" else None
            made = await net.begin()
            if made is None:
                continue
            net.server.damage = damage(rng)
            passed = await net.passed(made, LISTED, 10)
            granted = sum(map(units, net.server.sent))
            assert passed <= granted, [each.hex() for each in net.server.sent]
            served += passed > 0
            await net.end(made)
        assert served > CASES * 0.1
        net.server.damage = None
        made = await net.begin()
        assert await net.passed(made, LISTED) == SIZE
        net.held()


def test_another_reader_counts_what_is_granted() -> None:
    answer = request("Credit-Control-Request", [*UNITS, *UNITS], application=4)
    assert units(encode(answer)) == 2 * 3 * SIZE
