"""The terminal between a real card, or one of the test's own, and an eNB of the test's own: verbs, bad neighbours."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from simulators.device.config import DeviceConfig
from simulators.device.element import Device
from simulators.uicc.config import UiccConfig
from simulators.uicc.element import Uicc
from simwarden.errors import ManagementError, PeerError
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.operations.element import Element
from simwarden.operations.management import Role
from simwarden.runtime.clock import Clock
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.host import Host, HostSettings
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Decided, Fault, Frame, PeerFault, StateChange
from simwarden.trace.trace import Trace
from simwarden.wire import nas, uu
from simwarden.wire.apdu.command import CommandApdu
from simwarden.wire.apdu.control import ATR, control_of, insertion_of

if TYPE_CHECKING:
    from simwarden.runtime.link import Link

IMSI = "001010000000001"
PLMN = Plmn("001", "01")
CELLS = tuple(uu.CellInformation(Ecgi(PLMN, 0x101 + i), Tai(PLMN, 1 + i)) for i in range(2))
CARD = {
    "name": "card",
    "imsi": IMSI,
    "iccid": "8900101000000000014",
    "msisdn": "1440000000001",
    "k": "00112233445566778899aabbccddeeff",
    "opc": "ffeeddccbbaa99887766554433221100",
    "profile": "meter",
    "form": "plug-in",
}


class Scripted(Element[ElementConfig]):
    """A neighbour that answers as the test says: `answer(message) -> messages`."""

    interface = ""

    async def start(self) -> None:
        self.links: list[Link] = []
        self.got: list[bytes] = []
        await self.site.listen(self.interface, self._accept)

    async def stop(self) -> None:
        for link in self.links:
            link.close("gone")

    def _accept(self, link: Link) -> None:
        self.links.append(link)
        link.on_receive = lambda data, _stream: self._receive(link, data)

    def _receive(self, link: Link, data: bytes) -> None:
        self.got.append(data)
        for answer in self.answer(data):
            link.send(answer)

    def answer(self, data: bytes) -> list[bytes]:
        raise NotImplementedError


class RadioTower(Scripted):
    """An eNB that broadcasts cells and otherwise does what `script` says."""

    declaration = Declaration(kind="enb", title="eNB", lane=20, config=ElementConfig, listens=("Uu",))
    interface = "Uu"
    cells = CELLS
    script: Callable[[uu.Message], list[bytes]] = staticmethod(lambda _message: [])

    def answer(self, data: bytes) -> list[bytes]:
        message = uu.decode(data)
        if isinstance(message, uu.CellSearch):
            return [uu.encode(uu.SystemInformation(self.cells))]
        return self.script(message)

    def messages(self, kind: type[Any]) -> list[Any]:
        return [message for message in map(uu.decode, self.got) if isinstance(message, kind)]


class OddCard(Scripted):
    """A card that answers commands with octets of the test's choice."""

    declaration = Declaration(kind="uicc", title="card", lane=0, config=ElementConfig, listens=("ME-UICC",))
    interface = "ME-UICC"
    script: Callable[[bytes], bytes] = staticmethod(lambda _command: b"\x6f\x00")

    def answer(self, data: bytes) -> list[bytes]:
        if insertion_of(data) is not None:
            return [data]
        if control_of(data) is not None:
            return [ATR] if data != b"\0" else []
        return [self.script(data)]


class Network:
    """Host, trace and the verbs of a scenario as calls."""

    def __init__(self, loop: TestbedLoop) -> None:
        clock = Clock(loop)
        self.host = Host(loop, clock, Trace(clock.now), HostSettings())
        self.clock = clock

    def add(self, name: str, kind: type[Element[Any]], config: Any) -> Any:
        return self.host.add(name, kind, config)

    async def do(self, who: str, what: str, **arguments: Any) -> Any:
        result = await self.host.elements[who].manage(Role.OPERATOR, "POST", f"/verbs/{what}", arguments)
        await self.clock.settle()
        return result

    async def provision(self, **binding: Any) -> None:
        sections = {"binding": [{"by": "card", **binding}]} if binding else {}
        await self.host.elements["card"].manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", {**CARD, "sections": sections})

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.host.trace.events if isinstance(event, kind)]

    def values(self, observable: str, element: str = "meter") -> list[Any]:
        changes = [e for e in self.of(StateChange) if (e.element, e.observable) == (element, observable)]
        return [change.value for change in changes]


Story = Callable[[Network], Coroutine[Any, Any, None]]


@pytest.fixture
def run() -> Iterator[Callable[..., Network]]:
    """Run a story with one terminal, a card and a radio tower; a bug of ours ends the test."""
    loop = TestbedLoop(virtual=True)
    broken: list[Any] = []
    loop.set_exception_handler(lambda _loop, context: broken.append(context))

    def carry_out(story: Story, *, card: type[Element[Any]] = Uicc, cells: Any = CELLS, **config: Any) -> Network:
        network = Network(loop)
        network.add("card", card, UiccConfig() if card is Uicc else ElementConfig())
        tower = network.add("enb", RadioTower, ElementConfig())
        tower.cells = cells
        network.add("meter", Device, DeviceConfig.model_validate({"imei": "99000101000001", **config}))

        async def whole() -> None:
            await network.host.start_all()
            await story(network)
            await network.host.close()

        loop.run_until_complete(asyncio.wait_for(whole(), 10**8))
        assert broken == []
        assert [event.detail for event in network.of(Fault)] == []
        return network

    yield carry_out
    loop.close()


def setup_then(*answers: bytes) -> Callable[[uu.Message], list[bytes]]:
    """Script: give the connection, and answer its first message."""

    def script(message: uu.Message) -> list[bytes]:
        if isinstance(message, uu.RrcConnectionRequest):
            return [uu.encode(uu.RrcConnectionSetup(61))]
        return list(answers) if isinstance(message, uu.RrcConnectionSetupComplete) else []

    return script


async def ready(network: Network, **binding: Any) -> None:
    await network.provision(**binding)
    assert await network.do("meter", "insert", card="card", into="meter") == "inserted"


def test_no_answer_on_the_radio(run: Any) -> None:
    async def story(network: Network) -> None:
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "no-answer"
        assert network.clock.now() == pytest.approx(2)  # T300
        await network.clock.sleep(11)
        assert len(network.host.elements["enb"].messages(uu.RrcConnectionRequest)) == 2  # type: ignore[attr-defined]

    run(story)


def test_rejected_connection_is_asked_for_again_after_t302(run: Any) -> None:
    async def story(network: Network) -> None:
        tower: Any = network.host.elements["enb"]
        tower.script = lambda message: (
            [uu.encode(uu.RrcConnectionReject(5))] if isinstance(message, uu.RrcConnectionRequest) else []
        )
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "barred"
        await network.clock.sleep(6)
        assert len(tower.messages(uu.RrcConnectionRequest)) == 2

    run(story)


def test_attach_reject_reaches_the_observables(run: Any) -> None:
    reject = nas.encode(nas.Message(nas.MessageType.ATTACH_REJECT, emm_cause=nas.EmmCause.NETWORK_FAILURE))

    async def story(network: Network) -> None:
        tower: Any = network.host.elements["enb"]
        tower.script = setup_then(uu.encode(uu.DlInformationTransfer(reject)), uu.encode(uu.RrcConnectionRelease()))
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "rejected"

    network = run(story)
    assert network.values("attach")[:2] == ["started", "rejected"]
    assert network.values("emm_cause") == [nas.EmmCause.NETWORK_FAILURE]


def test_barred_cell(run: Any) -> None:
    async def story(network: Network) -> None:
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "no-suitable-cell"

    run(story, cells=(uu.CellInformation(CELLS[0].cell, CELLS[0].tai, cell_barred=True),))


def test_barred_signalling(run: Any) -> None:
    async def story(network: Network) -> None:
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "barred"

    run(story, cells=(uu.CellInformation(CELLS[0].cell, CELLS[0].tai, ac_barring_for_mo_signalling=True),))


def test_next_cell_when_the_first_does_not_serve(run: Any) -> None:
    async def story(network: Network) -> None:
        await ready(network)
        await network.do("meter", "power_on", device="meter")

    barred = uu.CellInformation(CELLS[0].cell, CELLS[0].tai, cell_barred=True)
    network = run(story, cells=(barred, CELLS[1]), hears=["enb/2"])
    assert network.values("cell") == [str(CELLS[1].cell)]


def test_cause_15_turns_to_another_tracking_area(run: Any) -> None:
    reject = nas.encode(
        nas.Message(nas.MessageType.ATTACH_REJECT, emm_cause=nas.EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA)
    )

    async def story(network: Network) -> None:
        tower: Any = network.host.elements["enb"]
        tower.script = setup_then(uu.encode(uu.DlInformationTransfer(reject)), uu.encode(uu.RrcConnectionRelease()))
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "rejected"
        cells = [message.cell_identity for message in tower.messages(uu.RrcConnectionRequest)]
        assert cells == [CELLS[0].cell.cell_identity, CELLS[1].cell.cell_identity]

    run(story, hears=["enb/2"])


def test_lost_coverage_is_looked_for_again(run: Any) -> None:
    async def story(network: Network) -> None:
        await ready(network)
        await network.do("meter", "power_on", device="meter")
        await network.host.stop("enb")
        await network.clock.settle()
        assert await network.do("meter", "attach", device="meter") == "no-cell"
        await network.clock.sleep(100)
        await network.host.start("enb")
        await network.clock.sleep(200)

    network = run(story)
    assert network.values("cell") == [str(CELLS[0].cell)] * 2


def test_interlocked_terminal_sends_nothing_but_an_emergency_call(run: Any) -> None:
    async def story(network: Network) -> None:
        await ready(network, imei="99000101000009")
        assert await network.do("meter", "power_on", device="meter") == "interlocked"
        for verb in ("attach", "tau", "service_request"):
            assert await network.do("meter", verb, device="meter") == "interlocked"
        tower: Any = network.host.elements["enb"]
        assert {type(uu.decode(data)) for data in tower.got} == {uu.CellSearch, uu.Camp}
        assert await network.do("meter", "emergency_call", device="meter") == "no-answer"
        request = tower.messages(uu.RrcConnectionRequest)[0]
        assert request.establishment_cause is uu.EstablishmentCause.EMERGENCY

    network = run(story, compares="true", type="handset")
    assert network.values("interlock")[0] == "mismatch"
    decision = next(event.decision for event in network.of(Decided) if event.element == "meter")
    assert (decision.control.id, decision.admitted, decision.subject) == ("bind.card", False, IMSI)


@pytest.mark.parametrize(("compares", "word"), [("true", "matches"), ("false", "not-compared")])
def test_interlock_with_its_own_terminal(run: Any, compares: str, word: str) -> None:
    async def story(network: Network) -> None:
        await ready(network, imei="99000101000001")
        assert await network.do("meter", "power_on", device="meter") == "no-answer"

    assert run(story, compares=compares).values("interlock")[0] == word


def test_verbs_that_make_no_sense(run: Any) -> None:
    async def story(network: Network) -> None:
        for verb in ("attach", "detach", "tau", "power_off", "emergency_call"):
            with pytest.raises(ManagementError, match="switched off"):
                await network.do("meter", verb, device="meter")
        assert await network.do("meter", "power_on", device="meter") == "no-card"
        for verb in ("power_on", "detach", "emergency_call"):
            with pytest.raises(ManagementError):
                await network.do("meter", verb, device="meter")
        await ready_powered(network)
        with pytest.raises(ManagementError, match="holds card"):
            await network.do("meter", "insert", card="card", into="meter")
        assert await network.do("meter", "goto", device="meter", cell="enb9/1") == "no-cell"

    run(story)


async def ready_powered(network: Network) -> None:
    await network.provision()
    assert await network.do("meter", "insert", card="card", into="meter") == "no-answer"


def test_card_pulled_from_a_running_terminal(run: Any) -> None:
    async def story(network: Network) -> None:
        await ready(network)
        await network.do("meter", "power_on", device="meter")
        assert await network.do("card", "pull_out", card="card") == "out"
        assert await network.do("meter", "attach", device="meter") == "no-card"

    network = run(story)
    assert network.values("emm_state")[-2:] == ["emm-deregistered.no-imsi", "emm-null"]
    assert network.values("card") == ["card", None]


def test_wrong_pin(run: Any) -> None:
    async def story(network: Network) -> None:
        card: Any = network.host.elements["card"]
        card.config = UiccConfig(pin="4321")
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "no-card"
        await network.do("meter", "power_off", device="meter")
        meter: Any = network.host.elements["meter"]
        meter.emm.config = DeviceConfig(pin="4321")
        assert await network.do("meter", "power_on", device="meter") == "no-answer"

    run(story, pin="1111")


def odd_answers() -> list[bytes]:
    generator = random.Random(7)
    texts = [b"", b"\x90", b"\x61\x00", b"\x6c\x00", b"\x91\x10", b"\x90\x00", b"\xff" * 258, b"\xff" * 300]
    return texts + [generator.randbytes(generator.randrange(2, 60)) + b"\x90\x00" for _ in range(40)]


@pytest.mark.parametrize("octets", odd_answers())
def test_hostile_card(run: Any, octets: bytes) -> None:
    async def story(network: Network) -> None:
        card: Any = network.host.elements["card"]
        card.script = lambda _command: octets
        assert await network.do("meter", "insert", card="card", into="meter") == "inserted"
        assert await network.do("meter", "power_on", device="meter") in ("no-card", "no-answer")

    run(story, card=OddCard)


def test_silent_card(run: Any) -> None:
    async def story(network: Network) -> None:
        card: Any = network.host.elements["card"]
        card.answer = lambda data: [data] if insertion_of(data) is not None else []
        assert await network.do("meter", "insert", card="card", into="meter") == "inserted"
        assert await network.do("meter", "power_on", device="meter") == "no-card"
        assert network.clock.now() == pytest.approx(5)

    run(story, card=OddCard)


def test_card_with_random_records(run: Any) -> None:
    generator = random.Random(11)

    def script(command: bytes) -> bytes:
        wanted = CommandApdu.parse(command).le or 0
        return generator.randbytes(wanted) + b"\x90\x00"

    async def story(network: Network) -> None:
        card: Any = network.host.elements["card"]
        card.script = script
        await network.do("meter", "insert", card="card", into="meter")
        for _ in range(30):
            await network.do("meter", "power_on", device="meter")
            await network.do("meter", "power_off", device="meter")

    run(story, card=OddCard)


def frames(generator: random.Random) -> list[bytes]:
    """Return frames of every kind with random bodies, and NAS messages of every type with random content."""
    made = [generator.randbytes(generator.randrange(30)) for _ in range(100)]
    for kind in uu.FrameType:
        for _ in range(20):
            body = generator.randbytes(generator.randrange(24))
            made.append(bytes([kind]) + len(body).to_bytes(2) + body)
    for type_ in nas.MessageType:
        head = b"\x52\x01" if type_.is_esm else b"\x07"
        pdu = head + bytes([type_ & 0xFF]) + generator.randbytes(generator.randrange(30))
        made += [uu.encode(uu.DlInformationTransfer(pdu)), uu.encode(uu.DlInformationTransfer(b"\x27abcd\x01" + pdu))]
    generator.shuffle(made)
    return made


@pytest.mark.parametrize("seed", range(5))
def test_hostile_network(run: Any, seed: int) -> None:
    """Any octets on the radio, connected or not: no bug of ours, no registration."""
    generator = random.Random(seed)

    async def story(network: Network) -> None:
        tower: Any = network.host.elements["enb"]
        tower.script = setup_then(*frames(generator))
        await ready(network)
        await network.do("meter", "power_on", device="meter")
        for frame in frames(generator):
            for link in tower.links:
                link.send(frame)
        await network.clock.sleep(5000)
        assert "accepted" not in network.values("attach")

    network = run(story)
    assert network.of(PeerFault)


def test_every_frame_is_one_that_the_wire_knows(run: Any) -> None:
    """What the terminal itself sends in such company can be read."""

    async def story(network: Network) -> None:
        tower: Any = network.host.elements["enb"]
        tower.script = setup_then(*frames(random.Random(99)))
        await ready(network)
        await network.do("meter", "power_on", device="meter")

    for event in run(story).of(Frame):
        if event.source == "meter" and event.interface == "Uu":
            try:
                uu.dissect(event.data, nas.dissect)
            except PeerError as error:
                pytest.fail(str(error))


def test_periodic_updates_hold_no_jump_back(run: Any) -> None:
    async def story(network: Network) -> None:
        await ready(network)
        await network.do("meter", "power_on", device="meter")
        await network.do("meter", "power_off", device="meter")
        before = network.host.trace.last_number
        await network.clock.sleep(90 * 86400)
        assert network.host.trace.last_number == before

    run(story)
