"""The state of one PCRF while it runs, and what all of its procedures ask."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from simulators.pcrf import controls
from simulators.pcrf.card import DataCard
from simulators.pcrf.qos import SessionQos
from simulators.pcrf.rules import leaves_open, rules_for
from simwarden.operations.list_server import ListServer
from simwarden.runtime.diameter.server import KnownPeers

if TYPE_CHECKING:
    from simulators.pcrf.card import GxSession
    from simulators.pcrf.config import PcrfConfig
    from simulators.pcrf.rules import Rules
    from simulators.pcrf.store import Store
    from simwarden.runtime.diameter import DiameterNode
    from simwarden.runtime.site import Site

#: seconds after which a PGW that does not answer is told again, at most
LONGEST_PAUSE: Final = 3600.0
#: lists of which the rules are kept, each of 10 entries in 2 kB
_PREPARED: Final = 1 << 14


def _for_rules(qos: SessionQos) -> SessionQos:
    """Leave out what no rule depends on: many sessions have the same rules."""
    return qos._replace(uplink=0, downlink=0)


class Core(ListServer["PcrfConfig", "Store"]):
    """Cards, and the sessions of PGWs."""

    node: DiameterNode

    def __init__(self, site: Site, config: PcrfConfig, store: Store) -> None:
        super().__init__(site, config, store, controls.LIST_CHANGES, config.list_changes)
        self.peers = KnownPeers(site, config, config.peers, controls.PEER)
        # made when a card is provisioned; many cards have the same lists
        self._rules_for = lru_cache(maxsize=_PREPARED)(partial(rules_for, config=config))
        #: sessions whose PGW is being told, and those for which that is planned, with the pause before
        self.telling: set[str] = set()
        self.pauses: dict[str, float] = {}

    def rules(self, session: GxSession, on: str) -> Rules:
        """Decide which rules a card's session has now, of which some have `failed` to be installed."""
        card = self.store.card(session.imsi) or DataCard(session.imsi, "")
        decision = self.site.decide(controls.LIST, session.imsi, on=on, whitelist=card.lists.whitelist)
        how = {"directed": not decision.admitted, "adc": session.adc, "qos": _for_rules(session.qos)}
        told: Rules = self._rules_for(card.lists, card.use, **how)
        if leaves_open(session.failed, told.names):
            told = self._rules_for(card.lists, card.use, **how, open_=False)
        return told

    def prepare(self, card: DataCard) -> None:
        """Make the rules that a card's sessions will most likely have, so that these need not wait for it."""
        for online in (None, True):
            qos = SessionQos(online=online)
            self._rules_for(card.lists, card.use, directed=card.lists.whitelist is not None, adc=True, qos=qos)

    # -- what is used

    def used(self, imsi: str) -> int:
        """Return the octets of a card that PGWs have reported this month."""
        return self.store.used(imsi, self.month)

    # -- what is seen

    def show_list(self, card: DataCard) -> None:
        """Report with whom a card exchanges packets."""
        value = None
        if card.data is not None:
            lists = {name: list(getattr(card.data, name) or ()) for name in ("whitelist", "blacklist", "apps")}
            value = {"imsi": card.imsi, "undirected": card.data.whitelist is None, **lists}
        self.site.observe("list", value, key=card.imsi)

    def show(self, session: GxSession, *, over: bool = False) -> None:
        """Report what a session is told; where one of two that a PGW has of a card by an APN is over, the other."""
        others = [each for each in self.store.sessions_of(session.imsi) if each.apn == session.apn]
        shown = session if not over else others[-1] if others else None
        value = None
        if shown is not None:
            value = {name: each for name, each in shown.tell().items() if name not in ("id", "pgw")}
        self.site.observe("session", value, key=f"{session.imsi}/{session.apn}")
