"""The EIR as an element: it listens on S13, and its management interface keeps lists, pools and the library."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.eir.answers import ChangeTold, EntryRemoved, EntryTold, EquipmentTold, LibraryTold, PoolTold
from simulators.eir.config import EirBinding, EirConfig, EirSignalling, LibraryImport, ListEntry, PoolChange
from simulators.eir.ending import Ending
from simulators.eir.events import EVENTS
from simulators.eir.procedures import ALL, PEER, POOL_CHANGES, TIE, UNTIE, Register, check_imei, me_identity_check
from simwarden.errors import ConfigError, ManagementError
from simwarden.model.identity import Imei
from simwarden.model.values import IMEI, IMSI, KIND, one_of
from simwarden.operations.approval import Approval, Audit, By, without_approval
from simwarden.operations.element import Element
from simwarden.operations.management import HOUSE, ROLES, Call, Role, route
from simwarden.operations.provision import AuditPage, CardProvision
from simwarden.operations.restriction import Restriction
from simwarden.operations.terminal_library import load_library, read_library
from simwarden.policy.equipment_lists import EquipmentLists, EquipmentRange, Status
from simwarden.runtime.declare import HISTORY, Declaration, Observable, VerbModel, verb
from simwarden.runtime.diameter.server import KnownPeers
from simwarden.wire.m3ua.family import SIGTRAN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.eir.store import Store
    from simwarden.runtime.diameter import DiameterNode, Peer
    from simwarden.runtime.sigtran.point import SignallingPoint
    from simwarden.wire.diameter import Message


#: its subsystem (TS 23.003 annex A)
_EIR = 9


class ListEquipment(VerbModel):
    """Put a terminal, a TAC or a range of TACs on a list."""

    equipment: str
    """IMEI (`phone.imei`), TAC, or range of TACs."""
    status: Status
    """allowed, prohibited, tracked or unknown."""
    reason: str = ""
    """Why, for the audit."""


class Eir(Element[EirConfig]):
    """The equipment identity register."""

    declaration = Declaration(
        kind="eir",
        title="Equipment identity register",
        lane=70,
        config=EirConfig,
        starts_after=("cmp",),
        listens=("S13", SIGTRAN),
        calls=("S13",),
        card={"binding": EirBinding},
        services={"voice": {"signalling": {}}},
        observables=(
            Observable(
                "equipment",
                "what was said of a terminal last, by IMEI",
                fields={
                    "imsi": IMSI.or_none(),
                    "imei": IMEI,
                    "status": one_of("allowed", "prohibited", "tracked", "unknown"),
                    "kind": KIND,
                },
                passing=HISTORY,
            ),
        ),
        controls=(*ALL, ROLES),
        events=EVENTS,
    )
    register: Register
    store: Store
    node: DiameterNode
    point: SignallingPoint | None

    async def start(self) -> None:
        """Open the store, load the library, and listen."""
        self.point = None
        from simulators.eir.store import METADATA, Store  # noqa: PLC0415 - SQLAlchemy is heavy; checking files needs none

        config = self.config
        peers = KnownPeers(self.site, config, config.peers, PEER)
        self.store = Store(self.site.open_store(METADATA))
        self.audits = Audit(self.site, self.store.audit, key="subject")
        self.pool = Restriction(self.audits, POOL_CHANGES)
        self.ending = Ending(self.site, config, self.store)
        self.register = Register(
            self.site,
            config,
            peers,
            self._lists(),
            self.store.library() or load_library(config.library),
            self.store.pools(),
            config.kinds(),
        )
        self.node = peers.serve({"S13": {"me-identity-check-request": self._check}})
        await self.node.listen()
        if config.signalling is not None:
            await self._start_map(config.signalling)
        if config.cmp:
            await self.node.connect("S13", config.cmp)

    async def _start_map(self, signalling: EirSignalling) -> None:
        """Take part in the signalling network."""
        from simwarden.runtime.sigtran.map_node import MapNode  # noqa: PLC0415 - only who is asked so pays for it
        from simwarden.runtime.sigtran.nodes import make_point  # noqa: PLC0415
        from simwarden.wire.map import CHECK_IMEI  # noqa: PLC0415

        self.point = make_point(self.site, signalling, signalling.nodes)
        MapNode(self.point, _EIR, {CHECK_IMEI: partial(check_imei, self.register)})
        await self.point.start()

    def _lists(self) -> EquipmentLists:
        """Return the configured lists with what management has changed."""
        lists = EquipmentLists(self.config.entries())
        for entry, status in self.store.entries().items():
            if status is None:
                lists.remove(entry)
            else:
                lists.put(entry, status)
        return lists

    async def _check(self, message: Message, _peer: Peer) -> Message:
        return await me_identity_check(self.register, self.node, message)

    def kept(self) -> Audit:
        """Keep refused calls with the changes."""
        return self.audits

    async def stop(self) -> None:
        """Say goodbye to those who ask."""
        if self.point is not None:
            self.point.stop()
        await self.node.stop()

    async def killed(self) -> None:
        """Lose power."""
        if self.point is not None:
            self.point.stop(kill=True)
        self.node.drop()

    # -- lists

    @route("GET", "/equipment", gives=tuple[EntryTold, ...])
    async def list_entries(self, _call: Call) -> list[dict[str, str]]:
        """Tell all entries of the lists."""
        return [{"entry": str(entry), "status": status.value} for entry, status in self.register.lists]

    @route("GET", "/equipment/{entry}", gives=EquipmentTold)
    async def query(self, call: Call) -> dict[str, Any]:
        """Tell what the EIR knows of a terminal: the entry that counts and its type."""
        entry = _entry(call)
        known = self.register.library.get(entry.low[:8])
        status = self.register.lists.find(entry.low)
        return {
            "imei": Imei(entry.low).imei,
            "status": status.value if status is not None else None,
            "kind": known.kind if known else "",
            "maker": known.maker if known else "",
            "model": known.model if known else "",
        }

    @route("PUT", "/equipment/{entry}", takes=ListEntry, gives=EntryTold)
    async def put_entry(self, call: Call) -> dict[str, str]:
        """Put an IMEI, a TAC or a range of TACs on a list."""
        entry, wanted = _entry(call), call.given
        details = {"status": wanted.status.value, "reason": wanted.reason}
        self.store.put_entry(entry, wanted.status, self._record(call, "list", str(entry), details))
        self.register.lists.put(entry, wanted.status)
        return {"entry": str(entry), "status": wanted.status.value}

    @route("DELETE", "/equipment/{entry}", takes=Approval, gives=EntryRemoved)
    async def remove_entry(self, call: Call) -> dict[str, bool]:
        """Take an entry off its list."""
        entry = _entry(call)
        self.store.put_entry(entry, None, self._record(call, "unlist", str(entry), {}))
        return {"removed": self.register.lists.remove(entry)}

    # -- library

    @route("POST", "/library", takes=LibraryImport, gives=LibraryTold)
    async def import_library(self, call: Call) -> dict[str, int]:
        """Use a library of one's own (CSV: tac, kind, maker, model) from now on."""
        text: str = call.given.csv
        try:
            # in a thread, so that S13 is served meanwhile
            library = await asyncio.get_running_loop().run_in_executor(None, read_library, text, "csv")
        except ConfigError as wrong:
            raise ManagementError(400, str(wrong)) from wrong
        self.store.put_library(text, self._record(call, "library", "", {"terminals": len(library)}))
        self.register.library = library or load_library(self.config.library)
        return {"terminals": len(self.register.library)}

    # -- cards

    @route("PUT", "/cards/{imsi}", takes=CardProvision, gives=PoolTold, errors=(409,))
    async def provision_card(self, call: Call) -> dict[str, Any]:
        """Tie a card to its pool of terminals; what it has in others ends. One that it has is not changed so (409)."""
        wanted: CardProvision = call.given
        pool, held = wanted.entry("binding", EirBinding), self.register.pools.get(wanted.imsi)
        if held is not None:
            self.pool.stays(wanted.imsi, By.of(call), changed=pool != held)
        if pool is not None and held is None and call.caller != HOUSE:  # it may be in use, in whatever terminal
            told = self._tie(call, wanted.imsi, pool, "pool", ends=True)
            await self.ending.end(wanted.imsi)
            return told
        return self._tie(call, wanted.imsi, pool, "pool" if pool is not None else "provision")

    @route("PUT", "/cards/{imsi}/pool", takes=PoolChange, gives=PoolTold)
    async def change_pool(self, call: Call) -> dict[str, Any]:
        """Tie a card to another pool, with an approval record; what it has is ended, and it is judged anew."""
        imsi, pool = call.path["imsi"], without_approval(EirBinding, call.given)
        self.pool.approve(imsi, By.of(call), TIE)
        told = self._tie(call, imsi, pool, "pool", ends=True)
        await self.ending.end(imsi)
        return told

    @route("DELETE", "/cards/{imsi}/pool", takes=Approval, gives=PoolTold)
    async def end_pool(self, call: Call) -> dict[str, Any]:
        """Let a card be used in any terminal, with an approval record."""
        imsi = call.path["imsi"]
        self.pool.approve(imsi, By.of(call), UNTIE)
        return self._tie(call, imsi, None, "pool")

    def _tie(
        self, call: Call, imsi: str, pool: EirBinding | None, action: str, *, ends: bool = False
    ) -> dict[str, Any]:
        details = pool.model_dump(mode="json") if pool else {}
        record = self.pool.record(action, imsi, By.of(call), details)
        self.store.put_pool(imsi, pool, record, pending=ends and self.ending.works)
        if pool is None:
            self.register.pools.pop(imsi, None)
        else:
            self.register.pools[imsi] = pool
        return {"imsi": imsi, "pool": details or None}

    @route("GET", "/cards/{imsi}", gives=PoolTold)
    async def query_card(self, call: Call) -> dict[str, Any]:
        """Tell a card's pool."""
        pool = self.register.pools.get(call.path["imsi"])
        return {"imsi": call.path["imsi"], "pool": pool.model_dump(mode="json") if pool else None}

    @route("GET", "/audit", query=AuditPage, gives=tuple[ChangeTold, ...])
    async def audit(self, call: Call) -> list[dict[str, Any]]:
        """Tell changes, by whom and why, the oldest first."""
        return self.store.audited(after=call.query.after, most=call.query.limit)

    # -- verbs

    @verb(*(status.value for status in Status))
    async def list_equipment(self, arguments: ListEquipment) -> str:
        """Put equipment on a list; the outcome is the list."""
        body = {"status": arguments.status.value, "reason": arguments.reason}
        await self.manage(Role.OPERATOR, "PUT", f"/equipment/{arguments.equipment}", body)
        return arguments.status.value

    def _record(self, call: Call, action: str, subject: str, details: Mapping[str, Any]) -> dict[str, Any]:
        return self.audits.record(action, subject, details, By.of(call))


def _entry(call: Call) -> EquipmentRange:
    try:
        return EquipmentRange.parse(call.path["entry"])
    except ValueError as wrong:
        raise ManagementError(400, str(wrong)) from None
