"""What all kinds of handover share: the command, the history, the end of a preparation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.enb.context import Phase
from simwarden.errors import PeerError
from simwarden.wire import uu
from simwarden.wire.s1ap.enums import CellSize
from simwarden.wire.s1ap.values import LastVisitedCell

if TYPE_CHECKING:
    from simulators.enb.context import Cell, UeContext
    from simulators.enb.station import Station

_LONGEST_STAY = 4095  # seconds


def expect_arrival(station: Station, ue: UeContext, cell: Cell) -> uu.RrcConnectionReconfiguration:
    """Return the handover command that brings a device into a cell of ours."""
    ue.c_rnti = station.new_rnti()
    station.arriving[ue.c_rnti] = ue
    return uu.RrcConnectionReconfiguration(
        mobility_control_info=uu.MobilityControlInfo(cell.ecgi, ue.c_rnti, ue.key.ncc)
    )


def command_in(frame: bytes) -> uu.RrcConnectionReconfiguration:
    """Return the handover command that a target eNB made. Raises PeerError."""
    command = uu.decode(frame)
    if not isinstance(command, uu.RrcConnectionReconfiguration) or command.mobility_control_info is None:
        raise PeerError("the target's container holds no handover command")
    return command


def history(station: Station, ue: UeContext) -> LastVisitedCell:
    """Return the cell that a device is in, and for how long."""
    stayed = min(int(station.site.clock.now() - ue.active_since), _LONGEST_STAY)
    return LastVisitedCell(ue.cell.ecgi, CellSize.MEDIUM, stayed)


def stay(ue: UeContext) -> None:
    """End the preparation of a handover: the device is as before."""
    ue.phase = Phase.ACTIVE
    if ue.handover_timer is not None:
        ue.handover_timer.cancel()
        ue.handover_timer = None


def leave(ue: UeContext, command: uu.RrcConnectionReconfiguration) -> None:
    """Send a device away; from here on its silence means nothing."""
    stay(ue)
    ue.phase = Phase.LEFT
    if ue.timer is not None:
        ue.timer.cancel()
        ue.timer = None
    if ue.radio is not None:
        ue.radio.send(command)
