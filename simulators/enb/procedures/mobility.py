"""What all kinds of handover share: the command, the history, the end of a preparation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.enb.context import Phase
from simwarden.errors import PeerError
from simwarden.wire import uu
from simwarden.wire.rrc import HandoverCommand, decode_handover_command, encode_handover_command
from simwarden.wire.s1ap.enums import CellSize
from simwarden.wire.s1ap.values import LastVisitedCell

if TYPE_CHECKING:
    from simulators.enb.context import Cell, Tunnel, UeContext
    from simulators.enb.station import Station
    from simwarden.model.identity import Ecgi

_PCIS = 504
_LONGEST_STAY = 4095  # seconds


def command_for(station: Station, ue: UeContext, cell: Cell) -> bytes:
    """Return the handover command that brings a device from elsewhere into a cell of ours (TS 36.331 10.2.2)."""
    expect_arrival(station, ue)
    return encode_handover_command(HandoverCommand(physical_identity(cell.ecgi), ue.c_rnti, ue.key.ncc))


def expect_arrival(station: Station, ue: UeContext) -> None:
    """Give a device the C-RNTI by which it is known when it turns up."""
    ue.c_rnti = station.new_rnti()
    station.arriving[ue.c_rnti] = ue


def order(cell: Ecgi, c_rnti: int, ncc: int) -> uu.RrcConnectionReconfiguration:
    """Return what a device is told that shall go to a cell."""
    return uu.RrcConnectionReconfiguration(mobility_control_info=uu.MobilityControlInfo(cell, c_rnti, ncc))


def order_in(command: bytes, goal: Ecgi | None) -> uu.RrcConnectionReconfiguration:
    """Return what the device is told, from the handover command of the eNB that it goes to. Raises PeerError."""
    found = decode_handover_command(command)
    if goal is None or found.target_phys_cell_id != physical_identity(goal):
        raise PeerError(f"a handover command into physical cell {found.target_phys_cell_id}")
    return order(goal, found.new_ue_identity, found.next_hop_chaining_count)


def physical_identity(cell: Ecgi) -> int:
    """Return a cell's physical identity: all eNBs here number their cells by this rule."""
    return cell.cell_identity % _PCIS


def history(station: Station, ue: UeContext) -> LastVisitedCell:
    """Return the cell that a device is in, and for how long."""
    stayed = min(int(station.site.clock.now() - ue.active_since), _LONGEST_STAY)
    return LastVisitedCell(ue.cell.ecgi, CellSize.MEDIUM, stayed)


def stay(ue: UeContext) -> None:
    """End the preparation of a handover: the device is as before."""
    ue.phase = Phase.ACTIVE
    ue.forwards.clear()
    if ue.handover_timer is not None:
        ue.handover_timer.cancel()
        ue.handover_timer = None


def leave(ue: UeContext, command: uu.RrcConnectionReconfiguration, forwards: dict[int, Tunnel]) -> None:
    """Send a device away; from here on its silence means nothing, and its packets go after it."""
    stay(ue)
    ue.phase, ue.forwards = Phase.LEFT, forwards
    if ue.timer is not None:
        ue.timer.cancel()
        ue.timer = None
    if ue.radio is not None:
        ue.radio.send(command)
