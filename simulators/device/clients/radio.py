"""The radio of a terminal: the cells it hears, its RRC connection, handover and paging (TS 36.331, TS 36.304)."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from simulators.device.config import split_cell
from simwarden.errors import PeerError
from simwarden.wire import uu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.model.identity import Ecgi, Guti
    from simwarden.runtime.link import Link
    from simwarden.runtime.site import Site

_PATIENCE = 5.0
"""Seconds to wait for the system information of an eNB."""
_SUPPORTED = (0, 1, 2)
"""AS algorithms (EEA and EIA numbers) that the terminal can do."""


class Rrc(Enum):
    """State of the RRC connection."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"


class Outgoing(NamedTuple):
    """A NAS message on its way, and what it was before ciphering."""

    pdu: bytes
    clear: bytes | None


class Listener(Protocol):
    """Who uses the radio."""

    def on_connected(self) -> None:
        """The connection stands, the first message is about to go."""

    def on_released(self) -> None:
        """The connection has gone."""

    def on_coverage_lost(self) -> None:
        """Nothing is heard of the serving eNB any more."""

    def on_connection_failure(self) -> None:
        """The radio link of the connection has failed, and it has gone."""

    def on_access_refused(self, seconds: float) -> None:
        """The eNB rejected the connection request."""

    def on_nas(self, pdu: bytes) -> None:
        """A NAS message came."""

    def on_bearers_up(self, identities: tuple[int, ...]) -> None:
        """Radio bearers of these EPS bearers were set up."""

    def on_packet(self, identity: int, packet: bytes) -> None:
        """A user packet came on a bearer. Raises PeerError."""

    def on_camped(self, cell: uu.CellInformation) -> None:
        """The terminal listens, or is connected, in this cell."""

    def on_paged(self, *, with_imsi: bool) -> None:
        """The network looks for this terminal."""

    def on_connecting(self) -> None:
        """A connection was asked for."""

    def identity(self) -> tuple[Guti | None, str]:
        """Return GUTI and IMSI (empty: none)."""


class _Ear:
    """Hears one eNB; smaller, of thousands of terminals, than four functions that know which."""

    __slots__ = ("enb", "radio")

    def __init__(self, radio: Radio, enb: str) -> None:
        self.radio, self.enb = radio, enb

    def listen(self, link: Link) -> None:
        link.on_receive, link.on_packets = self.receive, self.take_packets
        link.on_close, link.on_failure = self.lost, self.failed

    def receive(self, data: bytes, _stream: int) -> None:
        self.radio.receive(self.enb, data)

    def take_packets(self, packets: Sequence[bytes]) -> None:
        self.radio.take_packets(self.enb, packets)

    def lost(self, reason: str) -> None:
        self.radio.lost(self.enb, reason)

    def failed(self) -> None:
        self.radio.failed(self.enb)


class Radio:
    """Links to the eNBs that the terminal hears, and at most one RRC connection."""

    __slots__ = ("_heard", "cell", "cells", "emergency", "enb", "links", "listener", "outgoing", "site", "state")

    def __init__(self, site: Site, listener: Listener) -> None:
        self.site, self.listener = site, listener
        self.links: dict[str, Link] = {}
        self.cells: dict[str, tuple[uu.CellInformation, ...]] = {}
        self.enb = ""
        self.cell: uu.CellInformation | None = None
        self.state = Rrc.IDLE
        self.outgoing: list[Outgoing] = []
        self.emergency = False
        self._heard: asyncio.Future[None] | None = None

    @property
    def internal(self) -> bool:
        """Whether the eNB is in this process."""
        link = self.links.get(self.enb)
        return link is None or link.internal

    # -- cells

    async def find(self, name: str) -> uu.CellInformation | None:
        """Listen for a cell by its name (`enb/1`); None if nothing is heard of it."""
        enb, number = split_cell(name)
        link = self.links.get(enb)
        if link is None or not link.up or enb not in self.cells:
            await self._listen(enb)
        cells = self.cells.get(enb, ())
        return cells[number - 1] if number <= len(cells) else None

    async def _listen(self, enb: str) -> None:
        try:
            link = self.links[enb] = await self.site.connect("Uu", enb)
        except ConnectionError as error:
            self.site.note(f"nothing is heard of {enb}: {error}")
            return
        _Ear(self, enb).listen(link)
        self._heard = asyncio.get_running_loop().create_future()
        self._transmit(link, uu.CellSearch())
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._heard
        except TimeoutError:
            self.site.note(f"{enb} broadcasts nothing")
        finally:
            self._heard = None

    def camp(self, enb: str, cell: uu.CellInformation) -> None:
        """Listen in a cell of an eNB that is heard."""
        self.enb, self.cell = enb, cell
        self._tune()
        self.listener.on_camped(cell)

    def _tune(self) -> None:
        if self.cell is not None:
            imsi = self.listener.identity()[1]
            self._send(uu.Camp(self.cell.cell.cell_identity, int(imsi) % 1024 if imsi else 0))

    def close(self) -> None:
        """Be switched off."""
        links, self.links = self.links, {}
        self.cells.clear()
        self.enb, self.cell, self.state = "", None, Rrc.IDLE
        self.outgoing.clear()
        for link in links.values():
            link.close("switched off")

    def lost(self, enb: str, reason: str) -> None:
        """Hear an eNB no more."""
        self.links.pop(enb, None)
        self.cells.pop(enb, None)
        if enb == self.enb:
            self.site.note(f"no coverage: {reason}")
            self.enb, self.cell = "", None
            self.listener.on_coverage_lost()
            self._drop()

    def failed(self, enb: str) -> None:
        """Leave a connection whose radio link has failed (TS 36.331 5.3.11.3).

        None is re-established (5.3.7): no eNB here keeps a context for that, and would reject it (5.3.7.8).
        """
        if enb == self.enb and self.state is Rrc.CONNECTED:
            self.site.note("radio link failure")
            self._drop()
            self.listener.on_connection_failure()

    def _drop(self) -> None:
        was = self.state
        self.release()
        if was is not Rrc.IDLE:
            self.listener.on_released()

    # -- sending

    def _send(self, message: uu.Message, clear: bytes | None = None) -> None:
        link = self.links.get(self.enb)
        if link is not None:
            self._transmit(link, message, clear)

    @staticmethod
    def _transmit(link: Link, message: uu.Message, clear: bytes | None = None) -> None:
        link.send(uu.encode(message), clear=clear)

    def send_nas(self, pdu: bytes, clear: bytes | None, cause: uu.EstablishmentCause) -> None:
        """Send a NAS message, over a new connection if there is none."""
        if self.state is Rrc.CONNECTED:
            self._send(uu.UlInformationTransfer(pdu), clear)
            return
        self.outgoing.append(Outgoing(pdu, clear))
        if self.state is Rrc.IDLE and self.cell is not None:
            self.state = Rrc.CONNECTING
            self.emergency = cause is uu.EstablishmentCause.EMERGENCY
            self.listener.on_connecting()
            self._send(uu.RrcConnectionRequest(self.cell.cell.cell_identity, self._ue_identity(), cause))

    def send_packets(self, identity: int, packets: list[bytes]) -> None:
        """Send user packets on a bearer."""
        link = self.links.get(self.enb)
        if link is not None:
            link.send_packets([uu.encode(uu.UserData(identity, each)) for each in packets])

    def _ue_identity(self) -> uu.STmsi | uu.RandomValue:
        guti = self.listener.identity()[0]
        if guti is not None:
            return uu.STmsi(guti.mme_code, guti.m_tmsi)
        return uu.RandomValue(self.site.rng.getrandbits(40))

    def report(self, cell: uu.CellInformation) -> None:
        """Tell the eNB that another cell is heard better."""
        self._send(uu.MeasurementReport((uu.MeasuredCell(cell.cell, tai=cell.tai),)))

    def release(self) -> None:
        """Drop the connection without a word; the eNB finds out."""
        self.state = Rrc.IDLE
        self.outgoing.clear()

    def on_t300(self) -> None:
        """The connection request was not answered."""
        if self.state is Rrc.CONNECTING:
            self.release()
            self.listener.on_released()

    # -- receiving

    def receive(self, enb: str, data: bytes) -> None:
        """Take a frame of an eNB's."""
        try:
            message = uu.decode(data)
            if isinstance(message, uu.SystemInformation):
                self._system_information(enb, message)
            elif enb == self.enb:
                self._dispatch(message)
        except PeerError as error:
            self._fault(enb, error.reason, data)

    def take_packets(self, enb: str, packets: Sequence[bytes]) -> None:
        """Take user packets of the eNB that serves the terminal; a bad one is reported."""
        for data in packets:
            try:
                message = uu.decode(data)
                if enb == self.enb and isinstance(message, uu.UserData):
                    self.listener.on_packet(message.eps_bearer_identity, message.packet)
            except PeerError as error:
                self._fault(enb, error.reason, data)

    def fault(self, reason: str, pdu: bytes) -> None:
        """Report a NAS message of the network's that is malformed or breaks the protocol."""
        self._fault(self.enb, reason, pdu)

    def _fault(self, enb: str, reason: str, data: bytes) -> None:
        link = self.links.get(enb)
        if link is not None:
            self.site.peer_fault(link, reason, data)

    def _system_information(self, enb: str, message: uu.SystemInformation) -> None:
        self.cells[enb] = message.cells
        if self._heard is not None and not self._heard.done():
            self._heard.set_result(None)
        if enb == self.enb and self.cell is not None:
            same = [cell for cell in message.cells if cell.cell == self.cell.cell]
            if same and same[0] != self.cell:
                self.cell = same[0]
                self.listener.on_camped(self.cell)

    def _dispatch(self, message: uu.Message) -> None:
        match message:
            case uu.Paging():
                self._paging(message)
            case uu.RrcConnectionSetup() if self.state is Rrc.CONNECTING:
                self._setup()
            case uu.RrcConnectionSetup() if self.state is Rrc.CONNECTED:
                self.failed(self.enb)  # the eNB has heard an earlier request late, and let this connection go for it
            case uu.RrcConnectionReject() if self.state is Rrc.CONNECTING:
                self.release()
                self.listener.on_access_refused(float(message.wait_time))
            case uu.DlInformationTransfer() if self.state is Rrc.CONNECTED:
                self.listener.on_nas(message.dedicated_info_nas)
            case uu.SecurityModeCommand() if self.state is Rrc.CONNECTED:
                self._security_mode(message)
            case uu.RrcConnectionReconfiguration() if self.state is Rrc.CONNECTED:
                self._reconfigure(message)
            case uu.RrcConnectionRelease():
                self._drop()
            case _:
                raise PeerError(f"{message.name} in RRC state {self.state.value}")

    def _setup(self) -> None:
        assert self.cell is not None  # noqa: S101 - a connection is asked for in a cell
        self.state = Rrc.CONNECTED
        self.listener.on_connected()
        guti = self.listener.identity()[0]
        registered = uu.RegisteredMme(guti.plmn, guti.mme_group_id, guti.mme_code) if guti is not None else None
        waiting, self.outgoing = self.outgoing, []
        if not waiting:
            raise PeerError("a connection that nobody waits for")
        first = waiting[0]
        self._send(uu.RrcConnectionSetupComplete(self.cell.tai.plmn, first.pdu, registered), first.clear)
        for later in waiting[1:]:
            self._send(uu.UlInformationTransfer(later.pdu), later.clear)

    def _security_mode(self, message: uu.SecurityModeCommand) -> None:
        integrity = message.integrity_prot_algorithm
        if message.ciphering_algorithm in _SUPPORTED and (
            integrity in _SUPPORTED[1:] or (integrity == 0 and self.emergency)
        ):
            self._send(uu.SecurityModeComplete())
        else:
            self._send(uu.SecurityModeFailure())

    def _reconfigure(self, message: uu.RrcConnectionReconfiguration) -> None:
        order = message.mobility_control_info
        if order is not None:
            self._hand_over(order)
            return
        self._send(uu.RrcConnectionReconfigurationComplete())
        if message.drb_to_add:
            self.listener.on_bearers_up(message.drb_to_add)
        for pdu in message.dedicated_info_nas:
            self.listener.on_nas(pdu)

    def _hand_over(self, order: uu.MobilityControlInfo) -> None:
        target = self._heard_cell(order.target)
        if target is None:
            self.site.note(f"handover to {order.target}, of which nothing is heard: the connection is lost")
            self._drop()
            return
        self.enb, self.cell = target
        self._send(uu.RrcConnectionReconfigurationComplete(order.new_ue_identity))
        self._tune()  # once released, it is paged here
        self.listener.on_camped(self.cell)

    def _heard_cell(self, wanted: Ecgi) -> tuple[str, uu.CellInformation] | None:
        for enb, cells in self.cells.items():
            for cell in cells:
                if cell.cell == wanted:
                    return enb, cell
        return None

    def _paging(self, message: uu.Paging) -> None:
        guti, imsi = self.listener.identity()
        if guti is not None and uu.STmsi(guti.mme_code, guti.m_tmsi) in message.ue_identities:
            self.listener.on_paged(with_imsi=False)
        elif imsi and imsi in message.ue_identities:
            self.listener.on_paged(with_imsi=True)
