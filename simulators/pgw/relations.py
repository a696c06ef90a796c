"""Which addresses a card reaches by the names of its list: over all its PDN connections, re-attach and restart.

An answer of the resolver opens an address as long as it says (RFC 1035 3.2.1). A card that has used the address by then
has a relation with its server, which lasts `answer_grace` longer than its last packet: devices resolve a name at boot
and report for weeks, and their server contacts them hours later. Relations are stored.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from simwarden.machine.inspection.bindings import Binding, Bindings, has_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.pgw.session import FlowCount, Session
    from simulators.pgw.store import RelationStore
    from simwarden.machine.inspection.bindings import Known
    from simwarden.runtime.site import Site
    from simwarden.wire.ip import Flow

#: a relation is stored for this part of its grace longer, so that not each packet renews it
_PART: Final = 1 / 8
#: number of known cards from which on cards without valid addresses are forgotten
_MANY: Final = 1024


class Relations:
    """The addresses of names by card, of which the relations are stored."""

    def __init__(self, site: Site, grace: float, store: RelationStore) -> None:
        self._site, self._grace, self._store = site, grace, store
        self._known: dict[str, Known] = {}
        self._most = _MANY
        for imsi, address, name, until in store.relations(site.clock.wall().timestamp()):
            names = self._known.setdefault(imsi, {}).setdefault(address, {})
            names[name, True] = Binding(until - self._start(), site.clock.now())

    def _start(self) -> float:
        """Return the wall time at which the clock of the run was 0, in seconds since 1970."""
        return self._site.clock.wall().timestamp() - self._site.clock.now()

    def bindings(self, session: Session, resolvers: frozenset[bytes]) -> Bindings:
        """Return the addresses that the card of a session knows, for answers that the session's resolvers give."""
        if session.confined or not session.imsi:
            return Bindings(resolvers)
        return Bindings(resolvers, self._known.setdefault(session.imsi, {}))

    def renew(self, session: Session, flow: Flow, count: FlowCount, now: float) -> None:
        """Extend the relation that a flow of a listed name belongs to; call it again at `count.renew`."""
        if not (self._grace and count.bound):
            count.renew = math.inf
            return
        count.renew = now + self._grace * _PART
        least, until = now + self._grace, now + self._grace * (1 + _PART)
        names = session.bindings.extend(flow.destination, count.bound, now, least, until)
        if names and session.imsi:
            self._keep(session.imsi, flow.destination, names, until)

    def _keep(self, imsi: str, address: bytes, names: tuple[str, ...], until: float) -> None:
        """Store a relation. Without its database the card has it until this node ends."""
        try:
            start, now = self._start(), self._site.clock.now()
            self._store.put_relation(imsi, address, names, until + start, now + start)
        except SQLAlchemyError as error:
            self._site.note(f"relation not stored: {type(error).__name__}", imsi=imsi)

    def forget(self, sessions: Iterable[Session]) -> None:
        """Forget cards without a session and without valid addresses, when many cards are known."""
        if len(self._known) < self._most:
            return
        active, now = {each.imsi for each in sessions}, self._site.clock.now()
        self._known = {imsi: known for imsi, known in self._known.items() if imsi in active or has_names(known, now)}
        self._most = max(_MANY, 2 * len(self._known))
