"""Packets of a device that changes its eNB (TS 36.300 10.1.2.3.1): forwarded by the source, put in order by the target.

What was forwarded goes first, what comes from the core waits for the End Marker. So nothing is lost, doubled or
overtaken on an ideal way; what is given up is told packet by packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.enb.context import Arrival, Phase

if TYPE_CHECKING:
    from simulators.enb.context import UeContext
    from simulators.enb.station import Station

GONE = "the device did not come, to which it was forwarded"


def expect(station: Station, ue: UeContext, e_rab_id: int) -> int:
    """Open the tunnel by which a bearer's packets are forwarded here; return its TEID."""

    def take(packets: list[bytes]) -> None:
        arrival.forwarded.extend(packets)
        _deliver(station, ue, e_rab_id)

    arrival = Arrival(station.plane.open(take, lambda: end(station, ue, e_rab_id)))
    ue.arrivals[e_rab_id] = arrival
    return arrival.teid


def take_fresh(station: Station, ue: UeContext, e_rab_id: int, packets: list[bytes]) -> None:
    """Keep packets of the core behind those that are forwarded."""
    ue.arrivals[e_rab_id].fresh.extend(packets)
    _deliver(station, ue, e_rab_id)


def arrived(station: Station, ue: UeContext) -> None:
    """Bring a device that has come what waits for it; an End Marker that does not come is awaited for a time."""
    for e_rab_id in list(ue.arrivals):
        _deliver(station, ue, e_rab_id)
    if ue.arrivals:
        station.site.clock.call_later(station.config.forwarding, lambda: _end_all(station, ue))


def end(station: Station, ue: UeContext, e_rab_id: int) -> None:
    """Await no more forwarded packets of a bearer."""
    arrival = ue.arrivals.get(e_rab_id)
    if arrival is not None:
        arrival.ended = True
        _deliver(station, ue, e_rab_id)


def _end_all(station: Station, ue: UeContext) -> None:
    for e_rab_id in list(ue.arrivals):
        end(station, ue, e_rab_id)


def _deliver(station: Station, ue: UeContext, e_rab_id: int) -> None:
    arrival = ue.arrivals[e_rab_id]
    if ue.radio is None or ue.phase not in (Phase.ACTIVE, Phase.PREPARING):
        return
    packets, arrival.forwarded = arrival.forwarded, []
    if arrival.ended:
        packets += arrival.fresh
        del ue.arrivals[e_rab_id]
        station.plane.close(arrival.teid)
    if packets:
        station.to_radio(ue, ue.radio, e_rab_id, packets)


def pass_end(station: Station, ue: UeContext, e_rab_id: int) -> None:
    """Tell the target that no more packets of a bearer come from the core here (TS 36.300 10.1.2.2)."""
    far = ue.forwards.get(e_rab_id)
    if far is not None:
        station.plane.end(far.teid, far.host, far.on)


def give_up(station: Station, ue: UeContext, e_rab_id: int) -> None:
    """Forget a bearer's arrival, and tell what of it is lost."""
    arrival = ue.arrivals.pop(e_rab_id, None)
    if arrival is not None:
        station.plane.close(arrival.teid)
        station.drop(arrival.forwarded + arrival.fresh, GONE)
