"""Paging (TS 36.413 8.5, TS 36.331 5.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire import uu

if TYPE_CHECKING:
    from simulators.enb.context import Mme
    from simulators.enb.station import Station
    from simwarden.wire.s1ap import Message


def paging(station: Station, _mme: Mme, message: Message) -> None:
    """Call a device in all cells of its tracking areas; heard by those that listen at its paging occasion."""
    identity = message["ue_paging_id"]
    index = message["ue_identity_index_value"]
    areas = set(message["tai_list"])
    called: uu.STmsi | str = identity if isinstance(identity, str) else uu.STmsi(identity.mmec, identity.m_tmsi)
    frame = uu.Paging((called,), uu.CnDomain(message["cn_domain"]))
    for cell in station.cells.values():
        if cell.tai in areas:
            for radio in list(cell.camped.get(index, ())):
                if radio.ue is None:  # a connected device does not listen for it
                    radio.send(frame)
