"""An eNB without an event loop: a site that only records, links that only collect, a clock that is wound by hand."""

from __future__ import annotations

import random
from collections.abc import Callable  # noqa: TC003 - fixtures are annotated with it
from types import SimpleNamespace
from typing import Any

import pytest

from simulators.enb import dispatch
from simulators.enb.config import EnbConfig
from simulators.enb.context import Mme, Neighbour, RadioLink
from simulators.enb.procedures import s1_setup
from simulators.enb.procedures import x2 as procedures
from simulators.enb.station import Station
from simwarden.model.identity import Plmn
from simwarden.wire import s1ap, uu, x2
from simwarden.wire.s1ap.values import (
    AllocationAndRetentionPriority,
    ErabLevelQosParameters,
    ErabToBeSetup,
    ServedGummei,
    UeAggregateMaximumBitrate,
    UeSecurityCapabilities,
)

PLMN = Plmn("001", "01")
QOS = ErabLevelQosParameters(
    9, AllocationAndRetentionPriority(8, s1ap.PreEmptionCapability(0), s1ap.PreEmptionVulnerability(1))
)


class FakeTimer:
    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due, self.callback, self.on = due, callback, True

    def cancel(self) -> None:
        self.on = False


class FakeClock:
    def __init__(self) -> None:
        self.time = 0.0
        self.timers: list[FakeTimer] = []

    def now(self) -> float:
        return self.time

    def call_later(self, delay: float, callback: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self.time + delay, callback)
        self.timers.append(timer)
        return timer

    def wind(self, seconds: float) -> None:
        """Let time pass, and timers run out in their order."""
        end = self.time + seconds
        while True:
            due = [timer for timer in self.timers if timer.on and timer.due <= end]
            if not due:
                break
            first = min(due, key=lambda timer: timer.due)
            self.timers.remove(first)
            self.time = first.due
            first.callback()
        self.time = end


class FakeEndpoint:
    """A socket of datagrams: what is sent is kept, with where it goes."""

    def __init__(self) -> None:
        self.address = ("127.1.9.1", 2152)
        self.sent: list[tuple[bytes, Any]] = []

    def send(self, data: bytes, to: Any, **_on: str) -> None:
        self.sent.append((data, to))

    def send_packets(self, packets: list[bytes], to: Any, **_on: str) -> None:
        self.sent += [(each, to) for each in packets]


class FakeSite:
    def __init__(self, name: str, clock: FakeClock) -> None:
        self.name, self.clock, self.rng = name, clock, random.Random(1)
        self.socket = FakeEndpoint()
        self.events: list[Any] = []
        self.trace = SimpleNamespace(emit=self.events.append)
        self.notes: list[str] = []
        self.faults: list[str] = []
        self.observed: dict[tuple[str, str], Any] = {}

    def endpoint(self, *_interfaces: str) -> FakeEndpoint:
        return self.socket

    def observe(self, observable: str, value: Any, *, key: str) -> None:
        self.observed[observable, key] = value

    def note(self, text: str, **_fields: Any) -> None:
        self.notes.append(text)

    def peer_fault(self, _link: Any, reason: str, _data: bytes = b"") -> None:
        self.faults.append(reason)


class FakeLink:
    """A link's near end: what is sent is kept, or goes to the far end at once."""

    def __init__(self, remote: str, decode: Callable[[bytes], Any]) -> None:
        self.remote, self.decode = remote, decode
        self.interface = SimpleNamespace(name="test")
        self.sent: list[Any] = []
        self.streams: list[int] = []
        self.far: Callable[[bytes], None] | None = None
        self.packets: list[Any] = []

    def send_packets(self, packets: list[bytes]) -> None:
        self.packets += [self.decode(each) for each in packets]

    def know(self) -> None:
        """See Link."""

    def refuse(self, reason: str) -> None:
        """See Link."""

    def send(self, data: bytes, *, stream: int = 0) -> None:
        self.sent.append(self.decode(data))
        self.streams.append(stream)
        if self.far is not None:
            self.far(data)

    def take(self) -> Any:
        """Return the only message since the last look."""
        (message,) = self.sent
        self.sent.clear()
        return message


class Bench:
    """An eNB with an MME in the tester's hands, and devices too."""

    def end(self, e_rab_id: int = 5) -> tuple[int, bytes, int]:
        """The eNB's end of a bearer's tunnel: the number of the bearer, address and TEID."""
        (bearer,) = [each for ue in self.station.ues.values() for each in ue.bearers.values() if each[0] == e_rab_id]
        return e_rab_id, bytes((127, 1, 9, 1)), bearer.own_teid

    def __init__(self, name: str = "enb", clock: FakeClock | None = None, **settings: Any) -> None:
        self.clock = clock or FakeClock()
        self.site = FakeSite(name, self.clock)
        self.station = Station(self.site, EnbConfig.model_validate(settings))  # type: ignore[arg-type]
        self.mme = self.station.mmes["mme"]
        self.s1 = FakeLink("mme", s1ap.decode)
        self._mme_ids = 100

    def set_up(self) -> s1ap.Message:
        s1_setup.begin(self.station, self.mme, self.s1)  # type: ignore[arg-type]
        request = self.s1.take()
        self.from_mme(
            "s1-setup-response",
            served_gummeis=(ServedGummei((PLMN,), (4,), (1,)),),
            relative_mme_capacity=255,
            mme_name="mme",
        )
        return request

    def from_mme(self, name: str, mme: Mme | None = None, **ies: Any) -> None:
        dispatch.from_mme(self.station, mme or self.mme, s1ap.encode(s1ap.Message(name, ies)))

    def device(self) -> Device:
        return Device(self)

    def attached(self, cell: int = 0x101) -> Device:
        """Return a device whose context is set up."""
        device = self.device()
        device.connect(cell)
        device.set_up_context()
        return device

    def next_mme_id(self) -> int:
        self._mme_ids += 1
        return self._mme_ids


class Device:
    """A device, by hand."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.link = FakeLink("device", uu.decode)
        self.radio = RadioLink(self.link)  # type: ignore[arg-type]
        bench.station.radio[self.radio] = None

    def send(self, message: uu.Message) -> None:
        dispatch.from_radio(self.bench.station, self.radio, uu.encode(message))

    def vanish(self) -> None:
        dispatch.radio_closed(self.bench.station, self.radio)

    def connect(self, cell: int = 0x101, *, nas: bytes = b"\x07\x41", **request: Any) -> s1ap.Message:
        """Connect and send a first NAS message; return what the MME gets, and answer it with a NAS message."""
        identity = request.pop("ue_identity", uu.RandomValue(7))
        cause = request.pop("cause", uu.EstablishmentCause.MO_SIGNALLING)
        self.send(uu.RrcConnectionRequest(cell, identity, cause))
        assert isinstance(self.link.take(), uu.RrcConnectionSetup)
        self.send(uu.RrcConnectionSetupComplete(PLMN, nas, **request))
        initial: s1ap.Message = self.bench.s1.take()
        self.ids = {"mme_ue_s1ap_id": self.bench.next_mme_id(), "enb_ue_s1ap_id": initial["enb_ue_s1ap_id"]}
        self.bench.from_mme("downlink-nas-transport", **self.ids, nas_pdu=b"\x07\x52")
        assert self.link.take() == uu.DlInformationTransfer(b"\x07\x52")
        return initial

    def set_up_context(self, nas: bytes | None = b"\x27accept") -> s1ap.Message:
        """Go through an initial context set-up; return the response."""
        self.bench.from_mme("initial-context-setup-request", **self.context(nas))
        command = self.link.take()
        assert command == uu.SecurityModeCommand(2, 2)
        self.send(uu.SecurityModeComplete())
        reconfiguration = self.link.take()
        assert reconfiguration.drb_to_add == (5,)
        assert reconfiguration.dedicated_info_nas == (() if nas is None else (nas,))
        self.send(uu.RrcConnectionReconfigurationComplete())
        response: s1ap.Message = self.bench.s1.take()
        assert response.name == "initial-context-setup-response"
        return response

    def context(self, nas: bytes | None = b"\x27accept", algorithms: int = 0xE000) -> dict[str, Any]:
        return {
            **self.ids,
            "ue_aggregate_maximum_bitrate": UeAggregateMaximumBitrate(1_000_000, 500_000),
            "e_rab_to_be_setup_list_ctxt_su_req": (ErabToBeSetup(5, QOS, b"\xc0\0\2\1", 0x77, nas),),
            "ue_security_capabilities": UeSecurityCapabilities(algorithms, algorithms),
            "security_key": bytes(range(32)),
        }


def join_by_x2(one: Bench, other: Bench) -> tuple[FakeLink, FakeLink]:
    """Connect two eNBs by X2; the first calls."""
    near, far = FakeLink(other.site.name, x2.decode), FakeLink(one.site.name, x2.decode)
    mine, yours = Neighbour(near), Neighbour(far)  # type: ignore[arg-type]
    near.far = lambda data: procedures.receive(other.station, yours, data)
    far.far = lambda data: procedures.receive(one.station, mine, data)
    one.station.neighbours.append(mine)
    other.station.neighbours.append(yours)
    procedures.x2_setup(one.station, mine)
    return near, far


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.set_up()
    return bench


@pytest.fixture
def make_bench() -> type[Bench]:
    return Bench


@pytest.fixture
def x2_joined() -> Callable[[Bench, Bench], tuple[FakeLink, FakeLink]]:
    return join_by_x2
