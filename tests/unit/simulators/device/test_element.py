"""The terminal between a real card, or one of the test's own, and an eNB of the test's own: verbs, bad neighbours."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Self

import pytest
from meter_card import CARD, IMSI

from simulators.device.config import DeviceConfig
from simulators.device.element import Device
from simulators.uicc.config import UiccConfig
from simulators.uicc.element import Uicc
from simwarden.errors import ManagementError, PeerError
from simwarden.model.identity import Plmn
from simwarden.operations.element import element_of
from simwarden.operations.management import Role
from simwarden.testing import Bench, ScriptedCard, ScriptedCell
from simwarden.testing.card import CELLS
from simwarden.trace.events import Decided, Frame, PeerFault
from simwarden.wire import nas, uu
from simwarden.wire.apdu.command import CommandApdu
from simwarden.wire.apdu.control import insertion_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.operations.element import Element

PLMN = Plmn("001", "01")


class Network(Bench):
    """A terminal, a card and a cell."""

    def __init__(self, *, card: type[Element[Any]] = Uicc, cells: Any = CELLS, **config: Any) -> None:
        super().__init__()
        self.add("card", card)
        self.tower = self.add("enb", ScriptedCell)
        self.tower.cells = cells
        self.add("meter", Device, {"imei": "99000101000001", **config})
        self.broken: list[Any] = []

    async def __aenter__(self) -> Self:
        self.loop.set_exception_handler(lambda _loop, context: self.broken.append(context))
        return await super().__aenter__()

    def judge(self) -> None:
        super().judge()
        assert self.broken == []

    async def provision(self, **binding: Any) -> None:
        sections = {"binding": [{"by": "card", **binding}]} if binding else {}
        await element_of(self.host, "card").manage(
            Role.OPERATOR, "PUT", f"/cards/{IMSI}", {**CARD, "sections": sections}
        )

    def values(self, observable: str, element: str = "meter") -> list[Any]:
        return self.observed(observable, element=element)


@pytest.fixture
def run() -> type[Network]:
    """Make a network with one terminal, a card and a cell."""
    return Network


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


async def test_no_answer_on_the_radio(run: Any) -> None:
    async with run() as network:
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "no-answer"
        assert network.clock.now() == pytest.approx(2)  # T300
        await network.clock.sleep(11)
        assert len(network.host.elements["enb"].messages(uu.RrcConnectionRequest)) == 2


async def test_rejected_connection_is_asked_for_again_after_t302(run: Any) -> None:
    async with run() as network:
        tower: Any = network.host.elements["enb"]
        tower.script = lambda message: (
            [uu.encode(uu.RrcConnectionReject(5))] if isinstance(message, uu.RrcConnectionRequest) else []
        )
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "barred"
        await network.clock.sleep(6)
        assert len(tower.messages(uu.RrcConnectionRequest)) == 2


async def test_attach_reject_reaches_the_observables(run: Any) -> None:
    reject = nas.encode(nas.Message(nas.MessageType.ATTACH_REJECT, emm_cause=nas.EmmCause.NETWORK_FAILURE))

    async with run() as network:
        tower: Any = network.host.elements["enb"]
        tower.script = setup_then(uu.encode(uu.DlInformationTransfer(reject)), uu.encode(uu.RrcConnectionRelease()))
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "rejected"
    assert network.values("attach")[:2] == ["started", "rejected"]
    assert network.values("emm_cause") == [nas.EmmCause.NETWORK_FAILURE]


async def test_barred_cell(run: Any) -> None:
    async with run(cells=(uu.CellInformation(CELLS[0].cell, CELLS[0].tai, cell_barred=True),)) as network:
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "no-suitable-cell"


async def test_barred_signalling(run: Any) -> None:
    async with run(
        cells=(uu.CellInformation(CELLS[0].cell, CELLS[0].tai, ac_barring_for_mo_signalling=True),)
    ) as network:
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "barred"


async def test_next_cell_when_the_first_does_not_serve(run: Any) -> None:
    barred = uu.CellInformation(CELLS[0].cell, CELLS[0].tai, cell_barred=True)
    async with run(cells=(barred, CELLS[1]), hears=["enb/2"]) as network:
        await ready(network)
        await network.do("meter", "power_on", device="meter")
    assert network.values("cell") == [str(CELLS[1].cell)]


async def test_cause_15_turns_to_another_tracking_area(run: Any) -> None:
    reject = nas.encode(
        nas.Message(nas.MessageType.ATTACH_REJECT, emm_cause=nas.EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA)
    )

    async with run(hears=["enb/2"]) as network:
        tower: Any = network.host.elements["enb"]
        tower.script = setup_then(uu.encode(uu.DlInformationTransfer(reject)), uu.encode(uu.RrcConnectionRelease()))
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "rejected"
        cells = [message.cell_identity for message in tower.messages(uu.RrcConnectionRequest)]
        assert cells == [CELLS[0].cell.cell_identity, CELLS[1].cell.cell_identity]


async def test_lost_coverage_is_looked_for_again(run: Any) -> None:
    async with run() as network:
        await ready(network)
        await network.do("meter", "power_on", device="meter")
        await network.host.stop("enb")
        await network.clock.settle()
        assert await network.do("meter", "attach", device="meter") == "no-cell"
        await network.clock.sleep(100)
        await network.host.start("enb")
        await network.clock.sleep(200)
    assert network.values("cell") == [str(CELLS[0].cell)] * 2


async def test_interlocked_terminal_sends_nothing_but_an_emergency_call(run: Any) -> None:
    async with run(compares="true", type="handset") as network:
        await ready(network, imei="99000101000009")
        assert await network.do("meter", "power_on", device="meter") == "interlocked"
        for verb in ("attach", "tau", "service_request"):
            assert await network.do("meter", verb, device="meter") == "interlocked"
        tower: Any = network.host.elements["enb"]
        assert {type(uu.decode(data)) for data in tower.got} == {uu.CellSearch, uu.Camp}
        assert await network.do("meter", "emergency_call", device="meter") == "no-answer"
        request = tower.messages(uu.RrcConnectionRequest)[0]
        assert request.establishment_cause is uu.EstablishmentCause.EMERGENCY
    assert network.values("interlock")[0] == "mismatch"
    decision = next(event.decision for event in network.of(Decided) if event.element == "meter")
    assert (decision.control.id, decision.admitted, decision.subject) == ("bind.card", False, IMSI)


@pytest.mark.parametrize(("compares", "word"), [("true", "matches"), ("false", "not-compared")])
async def test_interlock_with_its_own_terminal(run: Any, compares: str, word: str) -> None:
    async with run(compares=compares) as network:
        await ready(network, imei="99000101000001")
        assert await network.do("meter", "power_on", device="meter") == "no-answer"
        assert network.values("interlock")[0] == word


async def test_verbs_that_make_no_sense(run: Any) -> None:
    async with run() as network:
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


async def ready_powered(network: Network) -> None:
    await network.provision()
    assert await network.do("meter", "insert", card="card", into="meter") == "no-answer"


async def test_card_pulled_from_a_running_terminal(run: Any) -> None:
    async with run() as network:
        await ready(network)
        await network.do("meter", "power_on", device="meter")
        assert await network.do("card", "pull_out", card="card") == "out"
        assert await network.do("meter", "attach", device="meter") == "no-card"
    assert network.values("emm_state")[-2:] == ["emm-deregistered.no-imsi", "emm-null"]
    assert network.values("card") == ["card", None]


async def test_wrong_pin(run: Any) -> None:
    async with run(pin="1111") as network:
        card: Any = network.host.elements["card"]
        card.config = UiccConfig(pin="4321")
        await ready(network)
        assert await network.do("meter", "power_on", device="meter") == "no-card"
        await network.do("meter", "power_off", device="meter")
        meter: Any = network.host.elements["meter"]
        meter.emm.config = DeviceConfig(pin="4321")
        assert await network.do("meter", "power_on", device="meter") == "no-answer"


def odd_answers() -> list[bytes]:
    generator = random.Random(7)
    texts = [b"", b"\x90", b"\x61\x00", b"\x6c\x00", b"\x91\x10", b"\x90\x00", b"\xff" * 258, b"\xff" * 300]
    return texts + [generator.randbytes(generator.randrange(2, 60)) + b"\x90\x00" for _ in range(40)]


@pytest.mark.parametrize("octets", odd_answers())
async def test_hostile_card(run: Any, octets: bytes) -> None:
    async with run(card=ScriptedCard) as network:
        card: Any = network.host.elements["card"]
        card.script = lambda _command: octets
        assert await network.do("meter", "insert", card="card", into="meter") == "inserted"
        assert await network.do("meter", "power_on", device="meter") in ("no-card", "no-answer")


async def test_silent_card(run: Any) -> None:
    async with run(card=ScriptedCard) as network:
        card: Any = network.host.elements["card"]
        card.answer = lambda data: [data] if insertion_of(data) is not None else []
        assert await network.do("meter", "insert", card="card", into="meter") == "inserted"
        assert await network.do("meter", "power_on", device="meter") == "no-card"
        assert network.clock.now() == pytest.approx(5)


async def test_card_with_random_records(run: Any) -> None:
    generator = random.Random(11)

    def script(command: bytes) -> bytes:
        wanted = CommandApdu.parse(command).le or 0
        return generator.randbytes(wanted) + b"\x90\x00"

    async with run(card=ScriptedCard) as network:
        card: Any = network.host.elements["card"]
        card.script = script
        await network.do("meter", "insert", card="card", into="meter")
        for _ in range(30):
            await network.do("meter", "power_on", device="meter")
            await network.do("meter", "power_off", device="meter")


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
async def test_hostile_network(run: Any, seed: int) -> None:
    """Any octets on the radio, connected or not: no bug of ours, no registration."""
    generator = random.Random(seed)

    async with run() as network:
        tower: Any = network.host.elements["enb"]
        tower.script = setup_then(*frames(generator))
        await ready(network)
        await network.do("meter", "power_on", device="meter")
        for frame in frames(generator):
            for link in tower.links:
                link.send(frame)
        await network.clock.sleep(5000)
        assert "accepted" not in network.values("attach")
    assert network.of(PeerFault)


async def test_every_frame_is_one_that_the_wire_knows(run: Any) -> None:
    """What the terminal itself sends in such company can be read."""
    async with run() as network:
        tower: Any = network.host.elements["enb"]
        tower.script = setup_then(*frames(random.Random(99)))
        await ready(network)
        await network.do("meter", "power_on", device="meter")

    for event in network.of(Frame):
        if event.source == "meter" and event.interface == "Uu":
            try:
                uu.dissect(event.data, nas.dissect)
            except PeerError as error:
                pytest.fail(str(error))


async def test_periodic_updates_hold_no_jump_back(run: Any) -> None:
    async with run() as network:
        await ready(network)
        await network.do("meter", "power_on", device="meter")
        await network.do("meter", "power_off", device="meter")
        before = network.host.trace.last_number
        await network.clock.sleep(90 * 86400)
        assert network.host.trace.last_number == before
