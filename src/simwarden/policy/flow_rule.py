"""Which flows of a session pass: the rules that PCRF, PGW and OCS share (PCC rules, TS 23.203 6.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simwarden.policy.access_list import Network


class FlowFilter(NamedTuple):
    """The far ends of flows (a service data flow filter, TS 23.203 6.2.2.2); what is None is any."""

    network: Network | None = None
    protocol: int | None = None
    ports: range | None = None

    def fits(self, protocol: int, address: bytes, port: int) -> bool:
        """Whether a flow of that protocol with that far end is one of these; the address is 4 or 16 octets."""
        return (
            (self.protocol is None or self.protocol == protocol)
            and (self.ports is None or port in self.ports)
            and (self.network is None or self.network.has(address))
        )


class FlowRule(NamedTuple):
    """Flows that may pass, those of any filter, and the rule's name."""

    name: str
    filters: tuple[FlowFilter, ...]

    def fits(self, protocol: int, address: bytes, port: int) -> bool:
        """Whether the rule is about a flow of that protocol with that far end."""
        return any(each.fits(protocol, address, port) for each in self.filters)


#: of a card whose data is not directed
ALL_FLOWS: Final = FlowRule("all flows", (FlowFilter(),))


def rule_of(rules: Iterable[FlowRule], protocol: int, address: bytes, port: int) -> FlowRule | None:
    """Return the first of some rules that is about a flow; None: no rule, so no packet passes."""
    return next((each for each in rules if each.fits(protocol, address, port)), None)
