"""The state that all procedures of the MME share: contexts by identity, connections, eNBs, and what is told of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulators.mme.causes import CauseTable, Rejection
from simulators.mme.config import LONGEST_CODED
from simulators.mme.contexts import Connection, EmmState, Enb, UeContext
from simulators.mme.controls import AREA_CHANGES
from simulators.mme.events import CHANGE
from simwarden.model.identity import Guti
from simwarden.operations.approval import Audit
from simwarden.operations.restriction import Restriction

if TYPE_CHECKING:
    from simulators.mme.clients.gateways import Gateways
    from simulators.mme.clients.home import Home
    from simulators.mme.clients.presence import Presence
    from simulators.mme.config import MmeConfig
    from simulators.mme.store import AreaStore, CardArea
    from simwarden.model.identity import Ecgi, Tai
    from simwarden.policy.equipment import EquipmentAnswer
    from simwarden.runtime.link import Link
    from simwarden.runtime.site import Site
    from simwarden.wire.nas.enums import EmmCause


#: the unit of GPRS timer 2 for what is longer than a minute (TS 24.008 10.5.7.4)
_MINUTE = 60.0


class Core:
    """Contexts by identity, connections by number, eNBs by link."""

    def __init__(self, site: Site, config: MmeConfig, areas: AreaStore) -> None:
        self.site, self.config, self.areas = site, config, areas
        self.home: Home
        self.gateways: Gateways
        self.presence: Presence
        self.clock = site.clock
        self.audit = Audit(site, areas.audit, count=areas.count_changes)
        self.area_changes = Restriction(self.audit, AREA_CHANGES, config.area_changes, (CHANGE,))
        #: by which control, and where, a card was found outside its area last, until it is served again
        self.outside: dict[str, tuple[str, str, str]] = {}
        #: cards that were found outside their area, not just kept from going there, until they are served again
        self.absent: set[str] = set()
        self.causes = CauseTable(config.causes.experimental_results, config.causes.result_codes)
        self.by_imsi: dict[str, UeContext] = {}
        self.by_m_tmsi: dict[int, UeContext] = {}
        #: contexts of attaches that are not admitted yet, in the order of their beginning
        self.attempts: dict[UeContext, None] = {}
        self.connections: dict[int, Connection] = {}
        self.enbs: dict[Link, Enb] = {}
        #: until when it holds what the EIR said of (IMSI, IMEISV), when it said so, and what
        self.verdicts: dict[tuple[str, str], tuple[float, float, EquipmentAnswer]] = {}
        self._next_mme_id = 0

    # -- connections

    def connect(self, enb: Enb, enb_id: int | None, tai: Tai, cell: Ecgi) -> Connection:
        """Make a device's signalling connection and give it an MME UE S1AP ID."""
        self._next_mme_id = self._next_mme_id % 0xFFFFFFFF + 1
        connection = Connection(enb, self._next_mme_id, enb_id, tai, cell)
        self.connections[connection.mme_id] = connection
        if enb_id is not None:
            enb.connections[enb_id] = connection
        return connection

    def drop(self, conn: Connection) -> None:
        """Forget a connection, and end what runs on it."""
        self.connections.pop(conn.mme_id, None)
        if conn.enb.connections.get(conn.enb_id) is conn:
            del conn.enb.connections[conn.enb_id]
        self.halt(conn)

    def halt(self, conn: Connection, *, sessions: bool = True) -> None:
        """End the procedures on a connection, but not the one that asks for it, and what is forwarded to it.

        Without `sessions` those of session management go on.
        """
        current = asyncio.current_task()
        for task in (conn.procedure, conn.handover, *(conn.transactions.values() if sessions else ())):
            if task is not None and task is not current:
                task.cancel()
        if conn.procedure is not current:
            conn.procedure = None
        conn.pending, conn.attach_request, conn.repeat_accept = None, b"", None
        for number in list(conn.waits) if sessions else [0]:
            conn.waits.pop(number, None)
        if conn.forwards is not None:
            ue, conn.forwards = conn.forwards, None
            self.gateways.end_forwarding(ue)

    # -- identities

    def is_own(self, guti: Guti) -> bool:
        """Whether this MME gave the GUTI."""
        config = self.config
        return (guti.plmn, guti.mme_group_id, guti.mme_code) == (config.plmn, config.mme_group_id, config.mme_code)

    def find(self, guti: Guti) -> UeContext | None:
        """Return the context that a GUTI names, if it is here."""
        return self.by_m_tmsi.get(guti.m_tmsi) if self.is_own(guti) else None

    def allocate_guti(self, ue: UeContext) -> Guti:
        """Give a context a new GUTI; the former stays good until the device confirms (TS 24.301 5.4.1.4)."""
        m_tmsi = self.site.rng.getrandbits(32)
        while m_tmsi in self.by_m_tmsi or m_tmsi == 0xFFFFFFFF:
            m_tmsi = self.site.rng.getrandbits(32)
        config = self.config
        if ue.former_guti is None:
            ue.former_guti = ue.guti
        else:
            assert ue.guti is not None  # noqa: S101 - it came after the former
            self.by_m_tmsi.pop(ue.guti.m_tmsi, None)
        ue.guti = Guti(config.plmn, config.mme_group_id, config.mme_code, m_tmsi)
        self.by_m_tmsi[m_tmsi] = ue
        return ue.guti

    def confirm_guti(self, ue: UeContext) -> None:
        """Forget the former GUTI: the device has taken the new one."""
        if ue.former_guti is not None:
            self.by_m_tmsi.pop(ue.former_guti.m_tmsi, None)
            ue.former_guti = None

    def contexts(self, imsi: str) -> list[UeContext]:
        """Return the context of a card and those of attaches under way in its name: a right that ends, ends for all."""
        known = self.by_imsi.get(imsi)
        found = [known] if known is not None else []
        return found + [ue for ue in self.attempts if ue.imsi == imsi and ue is not known]

    def forget(self, ue: UeContext) -> None:
        """Remove a context and its identities."""
        self.stop_timer(ue)
        if self.by_imsi.get(ue.key) is ue:
            del self.by_imsi[ue.key]
        for guti in (ue.guti, ue.former_guti):
            if guti is not None:
                self.by_m_tmsi.pop(guti.m_tmsi, None)
        ue.guti = ue.former_guti = None

    def stop_timer(self, ue: UeContext) -> None:
        """Stop the mobile reachable, implicit detach or purge timer, whichever runs."""
        if ue.timer is not None:
            ue.timer.cancel()
            ue.timer = None

    # -- sessions

    def register(self, ue: UeContext) -> None:
        """Let a device be EMM-REGISTERED, and say so."""
        ue.detach = None
        ue.state = EmmState.REGISTERED
        self.show(ue)

    def end_session(self, ue: UeContext, *, lost: bool = False) -> None:
        """Let a device be EMM-DEREGISTERED: its session ends at the gateways, its keys and identities stay.

        `lost`: the gateways have it no longer, and hear nothing.
        """
        if ue.state is EmmState.REGISTERED:
            ue.state = EmmState.DEREGISTERED
            self.site.observe("session", None, key=ue.key)
        if ue.bearers:
            self.gateways.end(ue, *ue.bearers.values(), tell=not lost)

    def show(self, ue: UeContext) -> None:
        """Report what is known of a registered device."""
        if ue.state is not EmmState.REGISTERED:
            return
        self.site.observe("session", ue.tell(), key=ue.key)

    def show_area(self, imsi: str) -> None:
        """Report where a card may be served, and how many base stations count for it."""
        self.observe_area(imsi, self.areas.get(imsi))

    def observe_area(self, imsi: str, area: CardArea | None) -> None:
        """Report an area that was just read."""
        value = {"imsi": imsi, **area.tell()} if area is not None else None
        self.site.observe("area", value, key=imsi)

    def show_reject(self, imsi: str, procedure: str, rejection: Rejection) -> None:
        """Say why a device is rejected, before it is told; of a card that is known what it was told stays visible."""
        cause: EmmCause = rejection.emm_cause
        if not rejection.told:
            message, clause = f"{procedure.removesuffix('-request')}-reject", rejection.clause
            subject = imsi or rejection.subject
            self.site.reject(message, cause, rejection.reason, subject=subject, clause=clause, by=rejection.by)
        if not imsi:
            return
        value = {"imsi": imsi, "procedure": procedure, "emm_cause": cause, "esm_cause": rejection.esm_cause}
        self.site.observe("reject", {**value, "reason": rejection.reason}, key=imsi)

    def temporary(self, reason: str) -> Rejection:
        """Make the rejection for a decider that cannot be reached: a temporary cause, by law of the house."""
        from simwarden.wire.nas.enums import EmmCause  # noqa: PLC0415

        cause = self.config.causes.unreachable
        back_off = self.back_off() if cause is EmmCause.CONGESTION else None
        return Rejection(cause, reason, t3346=back_off, temporary=True)

    def back_off(self) -> float:
        """Draw a T3346, so that those who are told at one moment do not return at one (TS 23.401 4.3.7.4.2)."""
        timers = self.config.timers
        steps = int(timers.t3346_spread // _MINUTE)
        return min(timers.t3346 + _MINUTE * self.site.rng.randrange(steps + 1), LONGEST_CODED)
