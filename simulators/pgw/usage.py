"""Usage monitoring of a session for its PCRF (TS 29.212 4.5.16, 4.5.17)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simwarden.wire.diameter import first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simwarden.policy.flow_rule import FlowRule
    from simwarden.wire.diameter import Avps

#: Usage-Monitoring-Level (TS 29.212 5.3.62): SESSION_LEVEL, PCC_RULE_LEVEL
SESSION_LEVEL, RULE_LEVEL = 0, 1
#: Usage-Monitoring-Report: USAGE_MONITORING_REPORT_REQUIRED, Usage-Monitoring-Support: USAGE_MONITORING_DISABLED
_REQUIRED, _DISABLED = 0, 0
#: units of a threshold: octets of all packets, uplink, downlink
_UNITS: Final = ("CC-Total-Octets", "CC-Input-Octets", "CC-Output-Octets")


@dataclass(slots=True, eq=False)
class Usage:
    """A counter of a Monitoring-Key: octets since the last report, and thresholds of the next one (0 for none)."""

    key: bytes
    level: int
    thresholds: tuple[int, int, int] = (0, 0, 0)
    uplink: int = 0
    downlink: int = 0
    by_direction: bool = False
    ends: bool = False

    def count(self, octets: int, *, up: bool) -> bool:
        """Count a packet that passes; return True if a report is due, once for each threshold."""
        if up:
            self.uplink += octets
        else:
            self.downlink += octets
        used = (self.uplink + self.downlink, self.uplink, self.downlink)
        full = any(0 < most <= now for most, now in zip(self.thresholds, used, strict=True))
        if full:
            self.thresholds = (0, 0, 0)
        return full

    def report(self) -> tuple[str, Avps]:
        """Build a Usage-Monitoring-Information with the use since the last report."""
        used: Avps = [("CC-Total-Octets", self.uplink + self.downlink)]
        if self.by_direction:
            used += [("CC-Input-Octets", self.uplink), ("CC-Output-Octets", self.downlink)]
        self.uplink = self.downlink = 0
        group: Avps = [
            ("Monitoring-Key", self.key),
            ("Used-Service-Unit", used),
            ("Usage-Monitoring-Level", self.level),
        ]
        return "Usage-Monitoring-Information", group


@dataclass(slots=True, eq=False)
class Monitor:
    """The counters of a session; `full` is called when a report is due."""

    full: Callable[[], object]
    usages: dict[tuple[bytes, int], Usage] = field(default_factory=dict)
    due: dict[tuple[bytes, int], None] = field(default_factory=dict)

    def order(self, group: Avps) -> None:
        """Carry out a Usage-Monitoring-Information: set a threshold, report now, or end (4.5.16, 4.5.17)."""
        key, level = first(group, "Monitoring-Key"), first(group, "Usage-Monitoring-Level", RULE_LEVEL)
        units = first(group, "Granted-Service-Unit", [])
        thresholds = [int(first(units, name, 0)) for name in _UNITS]
        if key is not None and any(thresholds):
            usage = self.usages.setdefault((key, level), Usage(key, level))
            usage.by_direction, usage.ends = any(thresholds[1:]), False
            usage.thresholds = (thresholds[0], thresholds[1], thresholds[2])
        ends = first(group, "Usage-Monitoring-Support") == _DISABLED
        if ends or first(group, "Usage-Monitoring-Report") == _REQUIRED:
            for about, usage in self.usages.items():
                if key in (None, usage.key):
                    usage.ends = ends
                    self.due[about] = None

    def count(self, octets: int, rule: FlowRule | None, *, up: bool) -> None:
        """Count a packet that passes by a rule."""
        key = rule.monitoring_key if rule is not None else b""
        for about, usage in self.usages.items():
            if (usage.level == SESSION_LEVEL or (key and usage.key == key)) and usage.count(octets, up=up):
                self.due[about] = None
                self.full()

    def report(self, *, last: bool = False) -> Avps:
        """Build reports of the counters that are due; of all when the session ends (4.5.17.5)."""
        due, self.due = (self.usages if last else self.due), {}
        reports = [self.usages[each].report() for each in due if each in self.usages]
        self.usages = {about: usage for about, usage in self.usages.items() if not usage.ends}
        return reports


def order_usage(monitor: Monitor | None, groups: Iterable[Avps], full: Callable[[], object]) -> Monitor | None:
    """Carry out the Usage-Monitoring-Information of a message; return the session's monitor, if it has one."""
    for group in groups:
        monitor = monitor or Monitor(full)
        monitor.order(group)
    return monitor
