"""The state of one centre while it runs, and what all of its procedures ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.smsc import controls
from simwarden.operations.guessing import Tries
from simwarden.operations.list_server import ListServer
from simwarden.operations.number_ranges import load_ranges
from simwarden.policy.short_messages import longest_code
from simwarden.runtime.diameter.server import KnownPeers

if TYPE_CHECKING:
    import asyncio

    from simulators.smsc.card import CardList
    from simulators.smsc.causes import Refusal
    from simulators.smsc.clients.credit import CreditControl
    from simulators.smsc.clients.gateway import GatewayLink
    from simulators.smsc.config import SmscConfig
    from simulators.smsc.message import End, ShortMessage
    from simulators.smsc.store import Store
    from simwarden.policy.decision import Decision
    from simwarden.runtime.clock import Timer
    from simwarden.runtime.diameter import DiameterNode
    from simwarden.runtime.site import Site


@dataclass(slots=True)
class Long:
    """A long message of which not all parts have come: its verdict, the parts that have, and until when it holds."""

    refusal: Refusal | None
    until: float
    parts: set[int]


class Core(ListServer["SmscConfig", "Store"]):
    """Cards, messages that wait, gateways that are bound."""

    node: DiameterNode
    credit: CreditControl

    def __init__(self, site: Site, config: SmscConfig, store: Store) -> None:
        super().__init__(site, config, store, controls.LIST_CHANGES, config.list_changes)
        self.peers = KnownPeers(site, config, config.peers, controls.PEER)
        self.ranges = load_ranges(config.ranges)
        self.batch = self.make_batch(store)
        self.tries = Tries(config.guessing.period)
        #: records of messages that were written
        self.charged = 0
        #: by system_id: the links that take messages, and those that are there to send alone (bind_transmitter)
        self.gateways: dict[str, GatewayLink] = {}
        self.transmitters: dict[str, GatewayLink] = {}
        #: when messages are tried next, and by card or gateway that one is tried after the other
        self.planned: dict[int, Timer] = {}
        self.turns: dict[str, asyncio.Lock] = {}
        #: it stops: what is under way plans nothing any more
        self.stopping = False
        #: what was ruled of the first part of a long message, by which the others are judged
        self.long: dict[tuple[str, str, int, int], Long] = {}

    @property
    def links(self) -> list[GatewayLink]:
        """All links of gateways."""
        return [*self.gateways.values(), *self.transmitters.values()]

    # -- time

    # -- rules

    def judge_list(self, card: CardList, number: str, ton: int, on: str) -> Decision:
        """Ask whether a card exchanges messages with a number."""
        sms = card.sms
        facts: dict[str, Any] = {"number": number, "ton": ton, "listed": sms.numbers if sms is not None else None}
        undirected = sms is not None and sms.undirected
        return self.site.decide(controls.LIST, card.imsi, on=on, undirected=undirected, **facts)

    def gateway_of(self, number: str, ton: int) -> str:
        """Return the gateway that has a code, or the longest one that it extends; empty: none."""
        found = ((longest_code(number, ton, each.codes), name) for name, each in self.config.gateways.items())
        digits, name = max(found, default=(0, ""))
        return name if digits else ""

    # -- what is seen

    def show_list(self, card: CardList) -> None:
        """Report with whom a card exchanges messages."""
        value = None
        if card.sms is not None:
            value = {"imsi": card.imsi, "numbers": list(card.sms.numbers), "undirected": card.sms.undirected}
        self.site.observe("list", value, key=card.imsi)

    def show(self, message: ShortMessage, state: End | str) -> None:
        """Report what became of a message."""
        self.site.observe("message", {**message.tell(), "state": str(state)}, key=str(message.id))
