"""CDRs of gateways (TS 32.251 5.2.1, TS 32.298 5.1.2.2): what is counted for a bearer, by where the device was.

A record is closed when its bearer ends, and before that by a limit or a change: it goes on in another then, with the
next sequence number. A change of place closes a container only.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from simwarden.runtime.declare import Model, Seconds
from simwarden.trace.records import CauseForRecClosing, ChargingRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from simwarden.runtime.clock import Timer
    from simwarden.runtime.site import Site
    from simwarden.wire.gtpv2 import Paa, UeTimeZone, Uli


class RecordLimits(Model):
    """When a record is closed though its bearer goes on; 0: not by this (TS 32.251 5.2.3)."""

    volume: int = Field(default=0, ge=0)
    """Octets, both directions together: `VOLUME_LIMIT`."""
    time: Seconds = Field(default=0, ge=0)
    """Time since it was opened: `TIME_LIMIT`."""
    changes: int = Field(default=0, ge=0)
    """Containers: `MAX_CHANGE_COND`."""


@dataclass(slots=True)
class Container:
    """Octets that were counted under one condition: where the device was."""

    uli: Uli | None
    began: dt.datetime
    uplink: int = 0
    downlink: int = 0


def place(uli: Uli | None) -> str:
    """Return where a device is, in words."""
    return " ".join(str(each) for each in (uli.tai, uli.ecgi) if each is not None) if uli is not None else ""


def zone(told: UeTimeZone | None) -> str:
    """Return a time zone in words: hours from UTC, and those of them that are daylight saving time."""
    return f"{told.hours:+g} {told.daylight_saving}" if told is not None else ""


def served_addresses(paa: Paa) -> dict[str, str]:
    """Return the fields of a device's address: of both versions first the IPv6 prefix, then the IPv4 address."""
    prefix = str(ipaddress.IPv6Address(ipaddress.IPv6Address(paa.ipv6).packed[:8] + bytes(8))) if paa.ipv6 else ""
    beside = {"servedPDPPDNAddressExt": paa.ipv4} if prefix and paa.ipv4 else {}
    return {"pdpPDNType": paa.pdn_type.name, "servedPDPPDNAddress": prefix or paa.ipv4, **beside}


class Records:
    """The CDRs of a node: `record` is their type, numbered in the order in which they are closed."""

    def __init__(self, site: Site, record: str, limits: RecordLimits) -> None:
        self.site, self.record, self.limits = site, record, limits
        self.closed = 0

    def tell(self, fields: Mapping[str, Any]) -> None:
        """Tell a record that is closed; what is empty is left out."""
        self.closed += 1
        told = {**fields, "nodeID": self.site.name, "localSequenceNumber": self.closed}
        told = {name: value for name, value in told.items() if value not in ("", None)}
        self.site.record(ChargingRecord(element=self.site.name, record=self.record, fields=told))


class Account:
    """What is counted for one bearer; `describe` returns the fields of its records that say whose it is."""

    __slots__ = ("_describe", "_left", "_opened", "_records", "_sequence", "_timer", "containers", "uli")

    def __init__(self, records: Records, describe: Callable[[], Mapping[str, Any]], uli: Uli | None) -> None:
        self._records, self._describe, self.uli = records, describe, uli
        self._sequence = 0
        self._timer: Timer | None = None
        self._open()

    def _open(self) -> None:
        limits, site = self._records.limits, self._records.site
        self._opened = site.clock.wall()
        self._left = limits.volume or -1
        self.containers = [Container(self.uli, self._opened)]
        if limits.time:
            self._timer = site.clock.call_later(limits.time, lambda: self.part(CauseForRecClosing.TIME_LIMIT))

    def count(self, octets: int, *, up: bool) -> None:
        """Count octets of packets that pass, those of the packets themselves; a record that is full is closed."""
        container = self.containers[-1]
        if up:
            container.uplink += octets
        else:
            container.downlink += octets
        if self._left > 0:
            self._left -= octets
            if self._left <= 0:
                self.part(CauseForRecClosing.VOLUME_LIMIT)

    def moved(self, uli: Uli | None) -> bool:
        """Count from now on for another place; whether it is one."""
        if uli is None or uli == self.uli:
            return False
        self.uli = uli
        most = self._records.limits.changes
        if most and len(self.containers) >= most:
            self.part(CauseForRecClosing.MAX_CHANGE_COND)
        else:
            self.containers.append(Container(uli, self._records.site.clock.wall()))
        return True

    def part(self, cause: CauseForRecClosing) -> None:
        """Close the record; it goes on in another."""
        self._sequence += 1
        self._close(cause)
        self._open()

    def close(self, cause: CauseForRecClosing) -> None:
        """Close the last record."""
        self._sequence += bool(self._sequence)
        self._close(cause)

    def _close(self, cause: CauseForRecClosing) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._records.site.clock.wall()
        ends = [*(each.began for each in self.containers[1:]), now]
        self._records.tell(
            {
                **self._describe(),
                "recordOpeningTime": self._opened.isoformat(),
                "duration": round((now - self._opened).total_seconds()),
                "causeForRecClosing": cause,
                "recordSequenceNumber": self._sequence or None,  # of partial records only
                "listOfTrafficVolumes": [
                    _volume(each, end, last=end is now) for each, end in zip(self.containers, ends, strict=True)
                ],
            }
        )


def _volume(container: Container, ended: dt.datetime, *, last: bool) -> dict[str, Any]:
    told = {
        "changeCondition": "recordClosure" if last else "userLocationChange",
        "changeTime": ended.isoformat(),
        "dataVolumeGPRSUplink": container.uplink,
        "dataVolumeGPRSDownlink": container.downlink,
        "userLocationInformation": place(container.uli),
    }
    return {name: value for name, value in told.items() if value != ""}
