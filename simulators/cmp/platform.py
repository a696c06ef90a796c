"""The state of one platform while it runs, and what all of its procedures share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from simulators.cmp import controls
from simulators.cmp.card import REBIND, Change, Happening
from simulators.cmp.config import Account, Pool
from simwarden.errors import ManagementError
from simwarden.model.identity import Imei
from simwarden.operations.approval import Audit, By, ChangeLimit
from simwarden.operations.management import Role
from simwarden.operations.number_ranges import load_ranges
from simwarden.operations.restriction import Restriction
from simwarden.operations.terminal_library import load_library
from simwarden.policy.equipment_lists import EquipmentLists, EquipmentRange, Status
from simwarden.policy.risk_scenes import SCENES
from simwarden.runtime.diameter.server import KnownPeers

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from simulators.cmp.card import Card, Notice
    from simulators.cmp.config import CmpConfig
    from simulators.cmp.controls import Occasion
    from simulators.cmp.procedures.sweep import Sweep
    from simulators.cmp.store import Store
    from simwarden.policy.decision import Control, Decision
    from simwarden.runtime.diameter import DiameterNode
    from simwarden.runtime.site import Site


#: the platform's own procedures, to which all cards are known
OPERATOR = By()


class Terminals:
    """The terminals of a pool: asked by 14 digits, in time that does not grow with IMEIs and TACs."""

    __slots__ = ("_lists",)

    def __init__(self, pool: Pool) -> None:
        self._lists = EquipmentLists((EquipmentRange.parse(text), Status.ALLOWED) for text in pool.imeis)

    def __contains__(self, key: object) -> bool:
        return self._lists.find(str(key)) is not None


@dataclass(frozen=True, slots=True)
class Settings:
    """Accounts and pools by name, with the terminals of each pool."""

    accounts: Mapping[str, Account]
    pools: Mapping[str, Pool]
    terminals: Mapping[str, Terminals]

    def with_account(self, name: str, account: Account) -> Settings:
        """Return them with another account."""
        return replace(self, accounts={**self.accounts, name: account})

    def with_pool(self, name: str, pool: Pool | None, its: Terminals | None) -> Settings:
        """Return them with another pool and its terminals, or without it."""
        pools, terminals = dict(self.pools), dict(self.terminals)
        _overlay(pools, name, pool)
        _overlay(terminals, name, its)
        return replace(self, pools=pools, terminals=terminals)

    def pools_of(self, card: Card) -> dict[str, Terminals]:
        """Return the pools of terminals that a card's number is tied to, by name."""
        return {name: self.terminals[name] for name, pool in self.pools.items() if _holds(pool, card)}


class Platform:
    """What a platform knows, and its helpers. Procedures take it as their first argument."""

    node: DiameterNode

    def __init__(self, site: Site, config: CmpConfig, store: Store) -> None:
        self.site, self.config, self.store = site, config, store
        self.peers = KnownPeers(site, config, config.peers, controls.PEER)
        self.audit = Audit(site, store.audit, count=store.count)
        limit = ChangeLimit(changes=config.limits.rebindings, period=config.limits.period)
        self.binding = Restriction(self.audit, controls.CHANGES, limit, (REBIND,))
        self._settings: Settings | None = None
        self._library = load_library(config.library)
        self._ranges = load_ranges(config.ranges)
        #: asked before anything is kept what they are to tell of it; None: nothing
        self.listeners: list[Callable[[Sequence[Happening]], Notice | None]] = []
        self.telling: set[str] = set()
        #: work on very many cards that is under way, by id
        self.sweeps: dict[str, Sweep] = {}
        self.retrying = False
        self.judging = False

    # -- accounts and pools

    @property
    def settings(self) -> Settings:
        """The accounts and pools that hold: those of management over those of the configuration. Raises StoreError."""
        if self._settings is None:
            accounts, pools = dict(self.config.accounts), dict(self.config.pools)
            for name, value in self.store.settings("account").items():
                accounts[name] = Account.model_validate(value)
            for name, value in self.store.settings("pool").items():
                _overlay(pools, name, Pool.model_validate(value) if value is not None else None)
            self._settings = Settings(accounts, pools, {name: Terminals(pool) for name, pool in pools.items()})
        return self._settings

    def take_over(self, settings: Settings, kept: Callable[[], None]) -> None:
        """Have other settings hold once they are `kept`."""
        self._settings = None  # read again, should nobody know whether they were kept
        kept()
        self._settings = settings

    # -- cards

    def find(self, by: By, *, imsi: str = "", msisdn: str = "") -> Card | None:
        """Return the card of an identity, to somebody; None if there is none such, or it is not the customer's.

        Of these two a customer cannot tell which it is: the same is asked and kept, and takes the same time.
        """
        if imsi and by.role is Role.OPERATOR:
            return self.store.get(imsi)
        held = self.store.owner(imsi=imsi) if imsi else self.store.owner(msisdn=msisdn.removeprefix("+"))
        if by.role is not Role.OPERATOR:
            found, account = held or (imsi, "")
            try:
                self.audit.require(controls.OWN, found, by, "look", _owner(account, by))
            except ManagementError:
                return None
        return self.store.get(held[0]) if held is not None else None

    def card(self, imsi: str, by: By = OPERATOR) -> Card:
        """Return a card, to somebody. Raises ManagementError (404): there is none, or it is not the customer's."""
        found = self.find(by, imsi=imsi)
        if found is None:
            raise ManagementError(404, f"{self.site.name} has no card {imsi}")
        return found

    def may_hear(self, card: Card, by: By) -> bool:
        """Whether somebody who asked to be told of a card may be still."""
        facts = _owner(card.account, by)
        return by.role is Role.OPERATOR or self.decide(controls.OWN, card, controls.Occasion.LOOK, **facts).admitted

    def account(self, card: Card) -> Account:
        """Return what holds for a card's account."""
        return self.settings.accounts.get(card.account, self.config.others)

    def pools_of(self, card: Card) -> dict[str, Terminals]:
        """Return the pools of terminals that a card's number is tied to, by name."""
        return self.settings.pools_of(card)

    def kind_of(self, key: str) -> str:
        """Return the kind of a terminal (14 digits) by the library, empty if it lacks it."""
        found = self._library.get(key[:8])
        return found.kind if found is not None else ""

    def put(self, card: Card, record: dict[str, Any], *, reassigned: bool) -> None:
        """Keep a card as it is provisioned; who may know of it no longer hears so in the same transaction."""
        notices = self._notices([Happening("reassigned", card, self.now())] if reassigned else [])
        self.store.put(card, record, notices)
        for notice in notices:
            notice.kept()

    def keep(self, *changes: Change) -> bool:
        """Keep changes of cards and what others are told, all or none, and show them.

        Returns False if another first use of a card was faster.
        """
        some = [change for change in changes if change.values or change.audit or change.contacts]
        notices = self._notices([each for change in changes for each in change.happenings])
        if (some or notices) and not self.store.keep(some, notices=notices):
            return False
        for change in changes:
            for show in change.shown:
                show()
        for notice in notices:
            notice.kept()
        return True

    def _notices(self, happenings: Sequence[Happening]) -> list[Notice]:
        found = [listener(happenings) for listener in self.listeners]
        return [notice for notice in found if notice is not None]

    # -- rules

    def decide(self, control: Control, card: Card, occasion: Occasion, **facts: Any) -> Decision:
        """Ask a control about a card."""
        return self.site.decide(control, card.imsi, on=occasion, **facts)

    def may_issue(self, numbers: Sequence[str], imsi: str, by: By, action: str) -> None:
        """Let cards have numbers of dedicated ranges only, or none. Raises ManagementError (403)."""
        self.audit.require(controls.RANGE, imsi, by, action, {"numbers": numbers, "ranges": self._ranges})

    # -- time and records

    def now(self) -> dt.datetime:
        """The date and time, UTC."""
        return self.site.clock.wall()

    def record(self, action: str, imsi: str, by: By | None, details: Mapping[str, Any]) -> dict[str, Any]:
        """Make an audit record; without `by` it is the network that does something."""
        return self.audit.record(action, imsi, details, by)

    def risk(self, change: Change, scene: str, decision: Decision, *, source: str, action: str) -> None:
        """Let a change leave a record of risk with the scene's code."""
        card = change.card
        expected = decision.details.get("expected", "")
        record = {
            "at": self.now().isoformat(),
            "imsi": card.imsi,
            "msisdn": card.msisdn,
            "account": card.account,
            "batch": card.batch,
            "scene": scene,
            "meaning": SCENES[scene],
            "expected": expected if isinstance(expected, str) else ", ".join(map(str, expected)),
            "seen": str(decision.details.get("seen", "")),
            "source": source,
            "action": action,
        }
        change.risks.append(record)
        shown = ("imsi", "scene", "expected", "seen", "source", "action")
        value = {name: record[name] for name in shown}
        change.shown.append(lambda: self.site.observe("risk", value, key=card.imsi))

    # -- what others hear

    def happens(self, change: Change, kind: str, **details: Any) -> None:
        """Let all listeners tell of something, if and when the change is kept."""
        change.happenings.append(Happening(kind, change.card, self.now(), details))

    def show_card(self, card: Card) -> None:
        """Report a card's state."""
        value = {"imsi": card.imsi, "state": card.state.value, "account": card.account, "batch": card.batch}
        self.site.observe("card", value, key=card.imsi)

    def show_binding(self, card: Card) -> None:
        """Report a card's binding."""
        bound = card.bound
        value = {"imsi": card.imsi, "imei": Imei(bound).imei, "how": card.mode} if bound else None
        self.site.observe("binding", value, key=card.imsi)

    def tell(self, card: Card, role: Role) -> dict[str, Any]:
        """Tell what is held of a card; a customer hears of no terminal from before the card was its own."""
        terminal = card.terminal if role is Role.OPERATOR else card.own_terminal
        return {
            "imsi": card.imsi,
            "iccid": card.iccid,
            "msisdn": card.msisdn,
            "account": card.account,
            "batch": card.batch,
            "state": card.state.value,
            "binding": {"how": card.mode, "imei": Imei(card.bound).imei if card.bound else ""} if card.mode else None,
            "pools": sorted(self.pools_of(card)),
            "terminal": Imei(terminal).imei if terminal else "",
            "mismatches": card.mismatches,
            "pending": card.pending,
        }


def _owner(account: str, by: By) -> dict[str, Any]:
    return {"account": account, "accounts": by.accounts, "caller": by.caller}


def _overlay(table: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        table.pop(name, None)
    else:
        table[name] = value


def _holds(pool: Pool, card: Card) -> bool:
    """Whether a card's number is in the pool of numbers that a pool of terminals is tied to."""
    if pool.account and pool.account != card.account:
        return False
    if not pool.numbers:
        return bool(pool.account)
    return any(_within(text, card.msisdn) or _within(text, card.imsi) for text in pool.numbers)


def _within(text: str, number: str) -> bool:
    low, _, high = text.partition("-")
    return len(number) == len(low) and low <= number <= (high or low)
