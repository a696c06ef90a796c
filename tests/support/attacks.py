"""A network in which one message goes wrong: on the wire, or before it is protected, by whoever has the keys."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import mutation
from meter_card import CARD, IMSI

from simulators.device.config import DeviceConfig
from simulators.device.element import Device
from simulators.eir.config import EirConfig
from simulators.eir.element import Eir
from simulators.enb.config import EnbConfig
from simulators.enb.element import Enb
from simulators.hss.config import HssConfig
from simulators.hss.element import Hss
from simulators.mme.config import MmeConfig
from simulators.mme.element import Mme
from simulators.pgw.config import PgwConfig
from simulators.pgw.element import Pgw
from simulators.sgw.config import SgwConfig
from simulators.sgw.element import Sgw
from simulators.uicc.config import UiccConfig
from simulators.uicc.element import Uicc
from simwarden.errors import ManagementError, PeerError
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.operations.element import element_of
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.host import Host, HostSettings
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Event, Fault, Frame, PeerFault, StateChange
from simwarden.trace.trace import Trace
from simwarden.wire import apdu, diameter, nas, s1ap, uu, x2

if TYPE_CHECKING:
    from simwarden.runtime.link import Link
    from simwarden.runtime.loop import TestbedLoop

#: two IMEIs that differ in every digit but one, so that no small change makes one of the other
METER, PHONE = "869901000000017", "354199876543218"
SECTIONS: dict[str, Any] = {"hss": {"sections": {"binding": [{"by": "hss", "imei": METER}]}}}
#: virtual seconds after which a verb that has not come back never will
PATIENCE = 4000.0
_SERVICES = frozenset({"attach", "tau", "service_request"})

Carry = Callable[[bytes], None]


class Change(NamedTuple):
    """What goes wrong: `how`, with message number `count` (from 0) of a channel; `seed` draws the details.

    A channel is a wire family on a link, or `nas-up`, `nas-down` (what is protected, before it is) and `nas-plain`
    (what a device sends without protection).
    """

    channel: str
    how: str
    count: int  # type: ignore[assignment]  # the method of a tuple is not wanted
    seed: str


class Network:
    """All elements on virtual time, with what goes wrong in them."""

    def __init__(self, loop: TestbedLoop) -> None:
        self.loop = loop
        self.clock = Clock(loop)
        self.trace = Trace(self.clock.now, keep=False)
        self.trace.add_sink(self._watch)
        self.host = Host(loop, self.clock, self.trace, HostSettings())
        self.faults: list[Fault] = []
        self.recent: deque[Event] = deque(maxlen=300)
        self.session: dict[str, Any] | None = None
        self.sessions_seen: list[dict[str, Any]] = []
        self.admitted: list[str] = []
        self.peer_faults = self.cards = 0
        self.attacker = Attacker(self)
        self.host.transport.wiring.tap = self.attacker.on_wire
        loop.set_exception_handler(self._loop_fault)
        self._add()

    def _add(self) -> None:
        add = self.host.add
        add("card", Uicc, UiccConfig())
        keeps = {"keeps_keys": "always", "hears": ("enb2/1",)}
        add("meter", Device, DeviceConfig.model_validate({"imei": METER, "type": "module", **keeps}))
        add("phone", Device, DeviceConfig.model_validate({"imei": PHONE, "type": "handset", **keeps}))
        add("rogue", Device, DeviceConfig.model_validate({"imei": PHONE, "type": "handset", "resumes": True, **keeps}))
        add("enb", Enb, EnbConfig())
        add("enb2", Enb, EnbConfig.model_validate({"x2": ("enb",)}))
        add("mme", Mme, MmeConfig())
        add("pgw", Pgw, PgwConfig())
        add("sgw", Sgw, SgwConfig())
        add("hss", Hss, HssConfig())
        add("eir", Eir, EirConfig())

    def _watch(self, event: Event) -> None:
        self.recent.append(event)
        if isinstance(event, Fault):
            self.faults.append(event)
        elif isinstance(event, PeerFault):
            self.peer_faults += 1
        elif isinstance(event, StateChange) and (event.element, event.observable) == ("mme", "session"):
            self.session = event.value
            if event.value is not None:
                self.sessions_seen.append(event.value)
        elif isinstance(event, StateChange) and event.element in ("phone", "rogue") and _serves(event):
            self.admitted.append(f"{event.element}.{event.observable} {event.value}")

    def _loop_fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.host.fault("host", context["message"], context.get("exception") or RuntimeError(context["message"]))

    async def start(self) -> None:
        await self.host.start_all()
        for name in ("hss", "eir"):
            await element_of(self.host, name).manage(
                Role.OPERATOR, "PUT", f"/cards/{IMSI}", CARD | SECTIONS.get(name, {})
            )
        await self.replace_card()

    async def replace_card(self) -> None:
        """Issue the card anew: whoever owns the network's keys may have told it to keep away from its own network."""
        self.cards += 1
        body = CARD | {"iccid": f"8900101{self.cards:012d}"}
        await element_of(self.host, "card").manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", body)
        await self.clock.settle()

    async def do(self, who: str, what: str, **arguments: Any) -> Any:
        """Carry out a verb; what makes no sense (any more) is `impossible`."""
        try:
            async with asyncio.timeout(PATIENCE):
                said = await element_of(self.host, who).manage(Role.OPERATOR, "POST", f"/verbs/{what}", arguments)
        except ManagementError:
            said = "impossible"
        await self.clock.settle()
        return said

    async def put_card(self, into: str) -> None:
        """Have the card in one terminal, and all terminals without power."""
        for name in ("meter", "phone", "rogue"):
            device = self.host.elements[name]
            if isinstance(device, Device) and (device.emm.powered or device.emm.session is not None):
                await self.host.stop(name, kill=True)
                await self.host.start(name)
        await self.clock.settle()
        await self.do(into, "insert", card="card", into=into)

    def ladder(self) -> str:
        """The last messages, for whoever reads a failure."""
        lines = []
        for event, found in Dissector().walk(list(self.recent)):
            if isinstance(event, Frame) and found is not None:
                lines.append(f"{event.source}->{event.target} {found.summary}")
            elif isinstance(event, PeerFault):
                lines.append(f"  {event.element}: {event.reason}")
        return "\n".join(lines[-60:])


def _serves(event: StateChange) -> bool:
    if event.observable == "address":
        return bool(event.value)
    return event.observable in _SERVICES and event.value == "accepted"


class Attacker:
    """Carries out one Change, once armed; counts the messages of each channel meanwhile."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.arm(None)

    def arm(self, change: Change | None) -> None:
        self.change = change
        self.rng = random.Random(change.seed if change else "")
        self.counts: Counter[str] = Counter()
        self.done = False
        self.decoded: bool | None = None
        self.earlier: list[bytes] = []
        self.told = ""

    def _is_due(self, channel: str) -> bool:
        change, number = self.change, self.counts[channel]
        self.counts[channel] += 1
        if change is None or self.done or change.channel != channel or change.count != number:
            return False
        self.done = True
        return True

    # -- on the wire

    def on_wire(self, link: Link, data: bytes, carry: Carry) -> None:
        """See simwarden.runtime.transport.base.Tap."""
        protocol = link.interface.protocol
        plain = _plain_nas(data) if protocol == "uu" and link.client else None
        if plain is not None and self._is_due("nas-plain"):
            changed = _change_nas(self.rng, plain)
            self._tell(changed, partial(nas.decode, changed, uplink=True))
            at = data.rindex(plain)
            data = data[: at - 2] + len(changed).to_bytes(2) + changed + data[at + len(plain) :]
            carry(data[:1] + (len(data) - 3).to_bytes(2) + data[3:])
            return
        if not self._is_due(protocol):
            if self.change is not None and self.change.channel == protocol and not self.done:
                self.earlier.append(data)
            carry(data)
            return
        assert self.change is not None
        _ON_WIRE[self.change.how](self, link, data, carry)

    def mutate(self, link: Link, data: bytes, carry: Carry) -> None:
        changed = _CHANGES[link.interface.protocol](self.rng, data)
        self._tell(changed, partial(_decode, link, changed))
        carry(changed)

    def drop(self, _link: Link, _data: bytes, _carry: Carry) -> None:
        """Carry nothing."""

    def double(self, _link: Link, data: bytes, carry: Carry) -> None:
        carry(data)
        carry(data)

    def delay(self, _link: Link, data: bytes, carry: Carry) -> None:
        self.network.clock.call_later(self.rng.choice((0.5, 7.0, 40.0)), partial(carry, data))

    def replay(self, _link: Link, data: bytes, carry: Carry) -> None:
        """An earlier message again, before this one or in its place."""
        if self.earlier:
            carry(self.rng.choice(self.earlier))
        if self.rng.random() < 0.5:
            carry(data)

    # -- before protection

    def on_protect(
        self, protect: Callable[..., bytes], context: NasSecurityContext, message: bytes, kind: Any
    ) -> bytes:
        """What a NAS message becomes: with the keys, since whoever sends it has them."""
        channel = "nas-down" if context.is_network else "nas-up"
        pdu: bytes
        if not self._is_due(channel):
            pdu = protect(context, message, kind)
            if self.change is not None and self.change.channel == channel:
                self.earlier.append(pdu)
            return pdu
        assert self.change is not None
        match self.change.how:
            case "mutate":
                message = _change_nas(self.rng, message)
                self._tell(message, partial(nas.decode, message, uplink=channel == "nas-up"))
                pdu = protect(context, message, kind)
            case "plain":
                pdu = message
            case "wrong-mac":
                pdu = protect(context, message, kind)
                pdu = pdu[:1] + bytes([pdu[1] ^ 1]) + pdu[2:]
            case _:
                pdu = self.rng.choice(self.earlier) if self.earlier else message
        return pdu

    def _tell(self, octets: bytes, decode: Callable[[], Any]) -> None:
        self.told = octets.hex()
        try:
            decode()
        except PeerError:
            self.decoded = False
        else:
            self.decoded = True

    @contextmanager
    def with_keys(self) -> Iterator[None]:
        """Stand between all who protect NAS messages and their keys."""
        protect = NasSecurityContext.protect
        attacker = self

        def instead(context: NasSecurityContext, message: bytes, kind: Any) -> bytes:
            return attacker.on_protect(protect, context, message, kind)

        NasSecurityContext.protect = instead  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            NasSecurityContext.protect = protect  # type: ignore[method-assign]


_ON_WIRE: dict[str, Callable[[Attacker, Link, bytes, Carry], None]] = {
    "mutate": Attacker.mutate,
    "drop": Attacker.drop,
    "double": Attacker.double,
    "delay": Attacker.delay,
    "replay": Attacker.replay,
}
_CHANGES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "diameter": mutation.diameter,
    "s1ap": mutation.aper,
    "x2": mutation.aper,
    "uu": mutation.uu,
    "apdu": mutation.mutate,
}


def _plain_nas(data: bytes) -> bytes | None:
    """The NAS message in a frame of a device, if it is plain and may well be told apart."""
    try:
        carried = getattr(uu.decode(data), "dedicated_info_nas", None)
    except PeerError:
        return None
    if not isinstance(carried, bytes) or len(carried) < 2:
        return None
    return carried if nas.header_type(carried) is nas.SecurityHeaderType.PLAIN else None


def _change_nas(rng: random.Random, message: bytes) -> bytes:
    """Change a plain NAS message: mostly behind its type, so that it stays what it is."""
    return mutation.mutate(rng, message, keep=rng.choice((0, 2, 2, 2))) or b"\0"


def _decode(link: Link, data: bytes) -> None:
    match link.interface.protocol:
        case "diameter":
            diameter.decode(data)
        case "s1ap":
            s1ap.decode(data)
        case "x2":
            x2.decode(data)
        case "uu":
            uu.decode(data)
        case "apdu":
            apdu.dissect(data, is_response=not link.client)


# -- stories: who has the card, and what happens while something goes wrong


async def moved(network: Network) -> None:
    """The card of the meter attaches in a phone."""
    await network.do("phone", "power_on", device="phone")
    await network.clock.sleep(60)
    await network.do("phone", "attach", device="phone")


async def moved_with_keys(network: Network) -> None:
    """As moved, but with the GUTI and the keys of the meter's registration."""
    await moved(network)


async def resumed(network: Network) -> None:
    """A terminal that goes on where the meter stopped: TAU and service request, no attach."""
    await network.do("rogue", "power_on", device="rogue")
    await network.do("rogue", "service_request", device="rogue")
    await network.clock.sleep(60)


async def day_of_a_meter(network: Network) -> None:
    """All that the legitimate terminal does."""
    for what in ("power_on", "service_request", "tau"):
        await network.do("meter", what, device="meter")
        await network.clock.sleep(15)
    await network.do("meter", "handover", device="meter", cell="enb2/1")
    await network.do("meter", "goto", device="meter", cell="enb/1")
    await network.do("mme", "page", imsi=IMSI)
    await network.do("meter", "detach", device="meter")


class Story(NamedTuple):
    """A story, the terminal it is about, and whether the card was registered in its meter just before."""

    tell: Callable[[Network], Awaitable[None]]
    terminal: str
    after_meter: bool
    refused: bool


STORIES = {
    "moved": Story(moved, "phone", after_meter=False, refused=True),
    "moved-with-keys": Story(moved_with_keys, "phone", after_meter=True, refused=True),
    "resumed": Story(resumed, "rogue", after_meter=True, refused=True),
    "meter": Story(day_of_a_meter, "meter", after_meter=False, refused=False),
}


class Flow(NamedTuple):
    """A story in which one thing goes wrong."""

    story: str
    change: Change


#: how often what goes wrong where, in parts of a hundred; first what was changed with the keys, or had no protection
WRONGS: tuple[tuple[str, str, int], ...] = (
    ("nas-up", "mutate", 18),
    ("nas-down", "mutate", 8),
    ("nas-plain", "mutate", 8),
    ("diameter", "mutate", 22),
    ("s1ap", "mutate", 6),
    ("x2", "mutate", 2),
    ("uu", "mutate", 5),
    ("apdu", "mutate", 5),
    *((channel, how, 1) for channel in ("diameter", "s1ap", "uu", "apdu") for how in ("drop", "double", "delay")),
    *((channel, "replay", 1) for channel in ("diameter", "s1ap", "uu", "apdu")),
    ("nas-up", "plain", 3),
    ("nas-up", "wrong-mac", 2),
    ("nas-up", "replay", 2),
    ("nas-down", "plain", 1),
    ("nas-down", "wrong-mac", 1),
    ("nas-down", "replay", 1),
)
WITH_KEYS = frozenset({"nas-up", "nas-down", "nas-plain", "diameter"})


def draw(rng: random.Random, lengths: dict[str, Counter[str]]) -> Flow:
    """Draw a flow; `lengths` tells how many messages each channel of each story has when nothing goes wrong."""
    while True:
        story = rng.choice([*STORIES, "moved"])
        channel, how, _ = rng.choices(WRONGS, [part for _, _, part in WRONGS])[0]
        length = lengths[story][channel]
        if length:
            return Flow(story, Change(channel, how, rng.randrange(length), f"{rng.getrandbits(48):x}"))


async def carry_out(network: Network, flow: Flow | None, story: Story) -> Counter[str]:
    """Tell a story with what goes wrong in it. Returns how many messages each channel had."""
    attacker = network.attacker
    attacker.arm(None)
    if story.after_meter:
        await network.put_card("meter")
        await network.do("meter", "power_on", device="meter")
        await network.host.stop("meter", kill=True)
        await network.host.start("meter")
        await network.clock.sleep(15)
    await network.put_card(story.terminal)
    network.sessions_seen.clear()
    network.admitted.clear()
    attacker.arm(flow.change if flow else None)
    await story.tell(network)
    counts = attacker.counts
    if flow is not None and flow.change.channel == "nas-down":
        await network.replace_card()
    return counts


def admissions(network: Network, flow: Flow | None) -> list[str]:
    """What the wrong terminal got, emergency calls aside: a session at the MME, or what it takes for service."""
    got = [
        f"session {session}"
        for session in network.sessions_seen
        if session["imei"][:14] == PHONE[:14] and not session["emergency"]
    ]
    # whoever owns the keys of the network can tell a device anything; one served as in an emergency need not know
    called = any(session["emergency"] for session in network.sessions_seen)
    if not called and (flow is None or flow.change.channel != "nas-down"):
        got += network.admitted
    return got
