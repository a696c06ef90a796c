"""Handover by X2 (TS 36.423 8.2) and the path switch that ends it (TS 36.413 8.4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.enb.context import Mme, Neighbour, UeContext
    from simulators.enb.station import Station
    from simwarden.model.identity import Ecgi
    from simwarden.wire.s1ap import Message


def neighbour_of(station: Station, cell: Ecgi) -> Neighbour | None:
    """Return the neighbour with this cell, if X2 to it is set up."""
    return next((each for each in station.neighbours if cell in each.cells), None)


def handover_preparation(station: Station, ue: UeContext, neighbour: Neighbour, cell: Ecgi) -> None: ...


def path_switch_request(station: Station, ue: UeContext) -> None: ...


def path_switch_request_acknowledge(station: Station, mme: Mme, message: Message) -> None: ...


def path_switch_request_failure(station: Station, mme: Mme, message: Message) -> None: ...


def receive(station: Station, neighbour: Neighbour, data: bytes) -> None: ...


def x2_setup(station: Station, neighbour: Neighbour) -> None: ...


def x2_lost(station: Station, neighbour: Neighbour) -> None: ...
