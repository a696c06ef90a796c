"""The state of one SSP while it runs, and what all of its procedures ask."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simwarden.machine.tcap_events import Begun
from simwarden.model.identity import Plmn
from simwarden.wire.nas import Lai
from simwarden.wire.sccp import Address, GlobalTitle
from simwarden.wire.tbcd import AddressString

if TYPE_CHECKING:
    from simulators.ssp.call import Half
    from simulators.ssp.clients.gsmscf import Scf
    from simulators.ssp.clients.mobility import MapNode
    from simulators.ssp.clients.terminal import Terminal
    from simulators.ssp.clients.trunk import Trunks
    from simulators.ssp.config import SspConfig
    from simulators.ssp.subscriber import Subscriber
    from simwarden.machine.tcap_events import DialogueEvent
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.sigtran.point import SignallingPoint, TcapUser
    from simwarden.runtime.site import Site

#: how many roaming numbers there are
_ROAMING = 10_000
#: subsystems (TS 23.003 8): HLR, VLR, MSC, EIR, CAP
HLR, VLR, MSC, EIR, CAP = 6, 7, 8, 9, 146


class Core:
    """Subscribers, terminals, calls and dialogues."""

    point: SignallingPoint
    cap: TcapUser
    vlr: MapNode
    msc: MapNode
    trunks: Trunks

    def __init__(self, site: Site, config: SspConfig) -> None:
        self.site, self.config, self.clock = site, config, site.clock
        self.plmn = Plmn.parse(config.plmn)
        #: by IMSI: cards that are registered here
        self.subscribers: dict[str, Subscriber] = {}
        #: by dialogue with the HLR: cards whose location is being updated
        self.updating: dict[int, Subscriber] = {}
        self.terminals: dict[int, Terminal] = {}
        #: dialogues with gsmSCFs, by their numbers
        self.scfs: dict[int, Scf] = {}
        #: calls by their numbers, as they are seen
        self.calls: dict[int, Half] = {}
        #: roaming numbers that wait for their calls: whose, and until when
        self.roaming: dict[str, tuple[str, Timer]] = {}
        self._reference = self._call = self._roaming = 0

    @property
    def number(self) -> AddressString:
        """Its number as MSC, VLR and GMSC."""
        return AddressString(self.config.signalling.number)

    @property
    def area(self) -> Lai:
        """The location area of its radio."""
        return Lai(self.plmn, self.config.location_area)

    def take_cap(self, event: DialogueEvent) -> None:
        """Give what comes from a gsmSCF to the half of a call that has asked it; nobody begins a dialogue with it."""
        scf = self.scfs.get(event.dialogue)
        if scf is not None:
            scf.take(event)
        elif isinstance(event, Begun):
            self.cap.tc.abort(event.dialogue)
            self.cap.flush()

    def scf_address(self, number: str) -> Address:
        """Return where a gsmSCF is, by its number; one that no setting knows has its global title alone."""
        for each in self.config.signalling.scfs:
            if each.number == number:
                return Address(CAP, each.point_code)
        return Address(CAP, None, GlobalTitle(number, 4, 0, 1), route_on_ssn=False)

    def next_reference(self) -> bytes:
        """Return a reference for a call that begins (TS 23.078 4.6.1.8, Call Reference Number)."""
        self._reference += 1
        return self._reference.to_bytes(4)

    def next_call(self) -> int:
        """Return the number by which a half of a call is seen."""
        self._call += 1
        return self._call

    # -- roaming numbers

    def give_roaming_number(self, imsi: str) -> str:
        """Return a number by which the next call reaches a card (TS 23.018 5.1.3); empty: all are in use."""
        prefix = self.config.roaming_numbers.removeprefix("+")
        for _ in range(_ROAMING):
            self._roaming = (self._roaming + 1) % _ROAMING
            number = f"{prefix}{self._roaming:04d}"
            if number not in self.roaming:
                timer = self.clock.call_later(self.config.roaming_number_time, partial(self._drop, number))
                self.roaming[number] = imsi, timer
                return number
        return ""

    def take_roaming_number(self, number: str) -> str | None:
        """Return whose a roaming number is, which is free from then on; None: nobody's."""
        found = self.roaming.pop(number, None)
        if found is None:
            return None
        found[1].cancel()
        return found[0]

    def _drop(self, number: str) -> None:
        self.roaming.pop(number, None)
