"""The state of one PGW while it runs: its sessions by card, tunnel and address."""

from __future__ import annotations

import ipaddress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from simulators.pgw import addressing
from simulators.pgw.charging import describe
from simulators.pgw.controls import AREA_CHANGES, CELL, LIST_CHANGES, PEER
from simulators.pgw.events import CHANGED_AREA
from simulators.pgw.flow_records import EndReason, close_flow, stop_watching
from simulators.pgw.pools import Addresses
from simulators.pgw.relations import Relations
from simulators.pgw.session import OVER_AMBR
from simwarden.machine.token_bucket import Bucket
from simwarden.operations.approval import Audit
from simwarden.operations.card_lists import CHANGED_LIST
from simwarden.operations.number_ranges import load_ranges
from simwarden.operations.restriction import Restriction
from simwarden.runtime.gtp.charging import Account, Records
from simwarden.runtime.gtp.user import new_teid
from simwarden.trace.records import CauseForRecClosing
from simwarden.wire.gtpv2 import Cause, FTeid, InterfaceType, failure_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simulators.pgw.clients.ocs import Ocs
    from simulators.pgw.clients.pcrf import Pcrf
    from simulators.pgw.config import PgwConfig
    from simulators.pgw.session import Access, Bearer, Session
    from simulators.pgw.store import AreaStore, DataCard, ListStore, RelationStore
    from simulators.pgw.user_plane import Gateway
    from simwarden.policy.app_blacklist_file import AppLists
    from simwarden.runtime.diameter.node import DiameterNode
    from simwarden.runtime.gtp.node import GtpNode, Peer
    from simwarden.runtime.site import Site
    from simwarden.wire.gtpv2 import Ambr, Message

#: EPS bearer identities that a default bearer may have (TS 24.301 9.3.2)
_IDENTITIES: Final = range(16)


class Core:
    """Sessions, addresses and numbers of a PGW. `follow_area` acts on other cells of a card that has a session."""

    node: GtpNode
    gateway: Gateway
    #: connections to Diameter servers, None: there are none; and who rules the sessions of some APNs
    diameter: DiameterNode | None = None
    pcrf: Pcrf | None = None
    #: who grants the sessions of some APNs their octets
    ocs: Ocs | None = None
    follow_area: Callable[[Session], Awaitable[None]]

    def __init__(
        self, site: Site, config: PgwConfig, areas: AreaStore, store: ListStore, relations: RelationStore
    ) -> None:
        self.site, self.config, self.areas, self.store = site, config, areas, store
        self.relations = Relations(site, config.answer_grace, relations)
        self.audit = Audit(site, store.audit, count=store.count)
        self.area_changes = Restriction(self.audit, AREA_CHANGES, config.area_changes, (CHANGED_AREA,))
        self.lists = Restriction(self.audit, LIST_CHANGES, config.list_changes, (CHANGED_LIST,))
        self._app_lists = self._load_apps() if config.app_lists else None  # what is wrong with a file is told now
        self.ranges = load_ranges(config.ranges)
        self.taken: dict[str, object] = {}
        pools = [each for apn in config.apns.values() for each in (apn.ipv4, apn.ipv6, *apn.static) if each]
        self._apns = {name: Addresses(each, self.taken, pools) for name, each in config.apns.items()}
        self.sessions: dict[tuple[str, int], Session] = {}
        self.by_teid: dict[int, Session] = {}
        #: sessions that this node has ended, whose SGW has not answered yet, by TEID (TS 23.401 5.4.4.1)
        self.ending: dict[int, Session] = {}
        #: by IPv4 address, and by IPv6 prefix, as octets
        self.by_address: dict[bytes, Session] = {}
        self._charging_id = 0
        self.records = Records(site, "pGWRecord", config.partial_records)

    def sender_teid(self, teid: int) -> int:
        """Return the SGW's TEID for one of this node's."""
        session = self.by_teid.get(teid) or self.ending.get(teid)
        return session.sgw.teid if session is not None else 0

    def app_lists(self) -> AppLists:
        """Return the lists of people's apps."""
        self._app_lists = self._app_lists or self._load_apps()
        return self._app_lists

    def _load_apps(self) -> AppLists:
        from simwarden.operations.app_blacklists import load_app_lists  # noqa: PLC0415 - few networks deny apps

        return load_app_lists(self.config.app_lists)

    def apn(self, name: str) -> Addresses | None:
        """Return what sessions of an APN get; None if it is not served here."""
        return self._apns.get(name) or self._apns.get("*")

    def knows(self, peer: Peer, subject: str, on: str) -> bool:
        """Decide whether a peer may ask."""
        facts = {"name": peer.name, "host": peer.host, "listed": self.config.sgws}
        return self.site.decide(PEER, subject, on=on, **facts).admitted

    def is_sender(self, session: Session, message: Message, peer: Peer) -> bool:
        """Return True if a peer is the SGW of a session, or becomes it by a Modify Bearer Request (TS 29.274 7.2.7)."""
        relocates = message.name == "modify-bearer-request" and "sender_f_teid" in message.ies
        known = {session.sgw_host, *session.sgw.addresses}
        return relocates or peer.host in known or not self.config.check_senders

    def commanded(self, message: Message, peer: Peer, on: str) -> Session | None:
        """Return the session that a command is about; what nobody has, or a foreign SGW wants, fails."""
        session = self.by_teid.get(message.teid)
        if session is None:
            self.fail(message, peer, Cause.CONTEXT_NOT_FOUND)
        elif not self.knows(peer, session.imsi, on):
            self.fail(message, peer, Cause.INVALID_PEER)
        elif not self.is_sender(session, message, peer):
            self.node.refuse_sender(message, peer)
        else:
            return session
        return None

    def fail(self, message: Message, peer: Peer, why: Cause) -> None:
        """Tell why a command is not carried out (TS 29.274 7.2.6, 7.2.14.2, 7.2.17.2)."""
        self.node.tell(failure_of(message, why, self.sender_teid(message.teid)), peer.host, "S5-C", message.sequence)

    def pause(self, session: Session, *, paused: bool) -> None:
        """Pause or resume charging and usage monitoring of a session (TS 23.401 5.3.6A)."""
        if session.paused is not paused:
            session.paused = paused
            if not paused:
                self.gateway.settle(session)
            self.tell(session)

    def place(self, session: Session, on: str) -> None:
        """Decide whether packets pass where a card is; where that is not reported they do not."""
        cells = self.areas.get(session.imsi)
        session.closed_by = ""
        if cells:
            seen = session.uli.ecgi if session.reported and session.uli is not None else None
            decision = self.site.decide(CELL, session.imsi, on=on, cells=cells, seen=seen)
            session.closed_by = "" if decision.admitted else CELL.id
        self.tell(session)

    def follow_access(self, session: Session, before: Access) -> None:
        """Tell its PCRF and its OCS what has changed of a session's access."""
        if self.pcrf is not None:
            self.pcrf.changed(session, before)
        if self.ocs is not None:
            self.ocs.changed(session, before)

    def next_charging_id(self) -> int:
        """Return the number of a new bearer in charging records."""
        self._charging_id = self._charging_id % 0xFFFFFFFF + 1
        return self._charging_id

    def ends(self, session: Session) -> tuple[FTeid, FTeid]:
        """Return this node's ends of a session's tunnels, for control and for packets."""
        control = FTeid.at(InterfaceType.S5_S8_PGW_GTP_C, session.teid, self.node.address)
        return control, FTeid.at(InterfaceType.S5_S8_PGW_GTP_U, session.user_teid, self.gateway.plane.address)

    def open(self, session: Session) -> None:
        """Take up a session that has its addresses."""
        session.uplink, session.downlink = self._share_buckets(session)
        session.account = Account(self.records, partial(describe, session, self.site, self.node.address), session.uli)
        session.teid = new_teid(self.site.rng, self.by_teid)
        self.sessions[session.key] = self.by_teid[session.teid] = session
        if session.paa.ipv4:
            session.ipv4 = ipaddress.IPv4Address(session.paa.ipv4).packed
            self.by_address[session.ipv4] = session
        if session.paa.ipv6:
            session.prefix = ipaddress.IPv6Address(session.paa.ipv6).packed[:8]
            self.by_address[session.prefix] = session
        self.gateway.open(session)

    def _share_buckets(self, session: Session) -> tuple[Bucket, Bucket]:
        """Return the buckets of a new session, shared by the card's PDN connections of one APN (TS 23.401 4.7.3)."""
        now, mtu = self.site.clock.now(), session.addresses.config.mtu
        others = (self.sessions.get((session.owner, ebi)) for ebi in _IDENTITIES)
        shared = next((each for each in others if each is not None and each.apn == session.apn), None)
        if shared is None:
            uplink, downlink = (Bucket(rate, mtu, now, OVER_AMBR) for rate in session.ambr)
            return uplink, downlink
        for bucket, rate in zip((shared.uplink, shared.downlink), session.ambr, strict=True):
            bucket.change(rate, now)
        return shared.uplink, shared.downlink

    def limit(self, session: Session, ambr: Ambr, *, most: Ambr | None = None) -> None:
        """Let a session have another rate from now on, in records of their own (TS 32.251 5.2.3.4).

        `most`: no more than that passes all the same.
        """
        if ambr != session.ambr:
            session.account.part(CauseForRecClosing.APN_AMBR_CHANGE)
        session.ambr, now = ambr, self.site.clock.now()
        for bucket, *rates in zip((session.uplink, session.downlink), ambr, most or ambr, strict=True):
            bucket.change(min(rates), now)

    def close(self, session: Session, cause: CauseForRecClosing, *, confirmed: bool = True) -> None:
        """End a session, whoever ended it, and close its records.

        `confirmed`: the SGW has ended it as well; else its tunnels and addresses stay until `release`.
        """
        if self.by_teid.pop(session.teid, None) is None:
            return
        self.ending[session.teid] = session
        del self.sessions[session.key]
        self.site.observe("session", None, key=_key(session))
        for bearer in list(session.bearers.values()):
            self.close_bearer(session, bearer, confirmed=False)
        for each in filter(None, (session.ipv4, session.prefix)):
            self.by_address.pop(each, None)
        if self.pcrf is not None:
            self.pcrf.close(session)
        if self.ocs is not None:
            self.ocs.close(session)
        session.account.close(cause)
        stop_watching(session)
        while session.flows:
            close_flow(self.site, session, EndReason.SESSION)
        self.relations.forget(self.sessions.values())
        if confirmed:
            self.release(session)

    def release(self, session: Session) -> None:
        """Close the tunnels of a session that has ended, and give its addresses back."""
        if self.ending.pop(session.teid, None) is not None:
            self.gateway.close(session)
            addressing.give_back(session.addresses, session.paa)

    def close_bearer(self, session: Session, bearer: Bearer, *, confirmed: bool = True) -> None:
        """End a dedicated bearer here; if the SGW has not confirmed it, its tunnel stays open."""
        del session.bearers[bearer.name]
        if confirmed:
            self.gateway.close_bearer(session, bearer)
        self.tell_bearer(session, bearer, "")
        if self.pcrf is not None and self.by_teid.get(session.teid) is session:
            self.pcrf.released(session, bearer.name)

    def of_host(self, host: str) -> list[Session]:
        """Return the sessions that an SGW has."""
        return [each for each in self.by_teid.values() if each.sgw.address == host]

    def tell_bearer(self, session: Session, bearer: Bearer, state: str) -> None:
        """Tell of a dedicated bearer; without a state it is over."""
        shown = {
            "imsi": session.imsi or None,
            "apn": session.apn,
            "name": bearer.name,
            "ebi": bearer.ebi,
            "qci": bearer.qos.qci,
            "state": state,
        }
        self.site.observe("bearer", shown if state else None, key=f"{_key(session)}/{bearer.name}")

    def show_list(self, card: DataCard) -> None:
        """Tell with whom a card exchanges packets."""
        value = None
        if card.data is not None:
            listed, denied = card.data.whitelist, card.data.blacklist
            lists = {"whitelist": list(listed or ()), "blacklist": list(denied), "apps": list(card.data.apps)}
            value = {"imsi": card.imsi, **lists, "undirected": listed is None}
        self.site.observe("list", value, key=card.imsi)

    def tell(self, session: Session) -> None:
        """Tell of a session as it is now."""
        shown: dict[str, Any] = {
            "imsi": session.imsi or None,
            "apn": session.apn,
            "ebi": session.ebi,
            "pdn_type": session.paa.pdn_type.name,
            "ipv4": session.paa.ipv4 or None,
            "ipv6": addressing.prefix_of(session.paa) if session.paa.ipv6 else None,
            "tai": session.uli.tai if session.uli is not None else None,
            "cell": session.uli.ecgi if session.uli is not None else None,
            "state": "closed" if session.closed_by else "open",
            "charging": "paused" if session.paused else "active",
        }
        self.site.observe("session", shown, key=_key(session))


def _key(session: Session) -> str:
    return f"{session.owner}/{session.ebi}"
