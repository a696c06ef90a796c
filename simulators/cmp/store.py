"""What the platform keeps: cards with bindings and states, accounts, pools, contacts, risks, and the audit.

Each change is committed before the method returns, with all records of it, and only then is in memory, so that an
answer which follows it never tells more than a killed process would remember. A first use binds by one conditional
UPDATE: of two at once exactly one wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simulators.cmp.card import Card, Change
from simulators.cmp.events import AUDITED
from simwarden.operations.audit_table import AuditTable, Page, newest
from simwarden.operations.card_table import alike, taken
from simwarden.operations.record_columns import record_columns, row_of
from simwarden.policy.card_states import CardState
from simwarden.policy.numbers import spellings
from simwarden.runtime.store import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simulators.cmp.card import Notice
    from simwarden.operations.provision import CardProvision


METADATA = sa.MetaData(info={"schema": "cmp", "first": 6})
_CARDS = sa.Table(
    "cards",
    METADATA,
    *record_columns(
        Card, "imsi", index=("iccid", "msisdn", "bound", "terminal"), lengths={"iccid": 20, "msisdn": 15, "state": 16}
    ),
    sa.Column("loaded_by", sa.String, nullable=False, default=""),
    sa.Index("cmp_cards_by_account", "account", "imsi"),
    sa.Index("cmp_cards_of_batch", "account", "batch", "imsi"),
)
_LOADS = sa.Table("loads", METADATA, sa.Column("id", sa.String(32), primary_key=True))
#: cards of a load that is under way, or was when the platform was killed, do not exist
_LOADED = _CARDS.c.loaded_by.not_in(sa.select(_LOADS.c.id))
_SETTINGS = sa.Table(
    "settings",
    METADATA,
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)
_CONTACTS = sa.Table(
    "contacts",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("day", sa.String(10), nullable=False, index=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("imsi", sa.String(15), nullable=False),
    sa.Column("imei", sa.String(14), nullable=False),
)
_RISKS = sa.Table(
    "risks",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("imsi", sa.String(15), nullable=False, index=True),
    *(sa.Column(name, sa.String, nullable=False) for name in ("msisdn", "account", "batch", "scene", "meaning")),
    *(sa.Column(name, sa.String, nullable=False) for name in ("expected", "seen", "source", "action")),
)
_AUDIT = AuditTable(METADATA, events=AUDITED)
_FIELDS = tuple(Card.__dataclass_fields__)
_HELD = sa.select(*(_CARDS.c[name] for name in _FIELDS)).where(_LOADED)
_BY_IMSI = _HELD.where(_CARDS.c.imsi == sa.bindparam("key"))
_UPDATE = sa.update(_CARDS).where(_CARDS.c.imsi == sa.bindparam("key"))
_TOLD = _UPDATE.where(_CARDS.c.pending == sa.bindparam("what")).values(pending="")
_CAPTURE = _UPDATE.where(_CARDS.c.bound == "", _CARDS.c.mode == "learned").values(bound=sa.bindparam("new"))
#: what no two cards have alike
IDENTITIES = ("imsi", "msisdn", "iccid")
#: a look at a card that is none of the customer's
LOOK_REFUSED = "look-refused"
#: cards whose rows are kept in memory at most
_CACHE = 100_000


def _add_audit(connection: sa.Connection, record: dict[str, Any]) -> None:
    _AUDIT.add(connection, [record])


def _is(name: str, value: str) -> sa.ColumnElement[bool]:
    """Mean cards with an identity; a number is one, however it is written."""
    column = _CARDS.c[name]
    return column.in_(spellings(value)) if name == "msisdn" else column == value


def _row(card: Card) -> dict[str, Any]:
    return _written(row_of(card))


def _written(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.value if isinstance(value, CardState) else value for name, value in values.items()}


def _values(row: sa.RowMapping) -> dict[str, Any]:
    return {str(name): CardState(value) if name == "state" else value for name, value in row.items()}


def _read(connection: sa.Connection, imsi: str) -> dict[str, Any] | None:
    row = connection.execute(_BY_IMSI, {"key": imsi}).mappings().first()
    return _values(row) if row is not None else None


def _of(accounts: frozenset[str]) -> sa.Select[tuple[str]]:
    """Select the cards of accounts; no account has the cards that are of none."""
    return sa.select(_CARDS.c.imsi).where(_LOADED, _CARDS.c.account.in_(sorted(accounts - {""})))


@dataclass(frozen=True, slots=True)
class Records:
    """Which records are asked for: of a card or of all, of times (ISO, UTC), after a number, at most so many."""

    imsi: str = ""
    since: str = ""
    until: str = ""
    after: int = 0
    most: int = 1000


def _asked(table: sa.Table, asked: Records) -> list[sa.ColumnElement[bool]]:
    bounds = (
        (asked.imsi, table.c.imsi == asked.imsi),
        (asked.since, table.c.at >= asked.since),
        (asked.until, table.c.at < asked.until),
    )
    return [condition for given, condition in bounds if given]


class Store:
    """The database of one platform."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.audit, self.count = partial(_AUDIT.keep, engine), partial(_AUDIT.count, engine)
        self.history = partial(_AUDIT.read, engine)
        self.audit_with = _add_audit
        self._rows = Rows(engine, _read, Card, most=_CACHE)

    # -- cards

    def get(self, imsi: str) -> Card | None:
        """Return a card, None if there is none with this IMSI."""
        return self._rows.get(imsi)

    def owner(self, **identity: str) -> tuple[str, str] | None:
        """Return IMSI and account of the card with an IMSI, an MSISDN (digits without a plus), an ICCID or a name.

        None if there is no such card, or two: nobody could tell which of them is meant. It takes one statement always.
        """
        query = sa.select(_CARDS.c.imsi, _CARDS.c.account).where(_LOADED).limit(2)
        for name, value in identity.items():
            query = query.where(_is(name, value))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return (rows[0].imsi, rows[0].account) if len(rows) == 1 else None

    def named(self, name: str) -> Card | None:
        """Return the card of a scenario's name."""
        found = self.owner(name=name)
        return self.get(found[0]) if found is not None else None

    def some(
        self, account: str | None = None, batch: str | None = None, *, pending: bool = False, after: str = "", most: int
    ) -> list[Card]:
        """Return cards by IMSI, after one: of an account, of a batch, or those that the HSS has to be told of."""
        query = _HELD.where(_CARDS.c.imsi > after).order_by(_CARDS.c.imsi).limit(most)
        if account is not None:
            query = query.where(_CARDS.c.account == account)
        if batch is not None:
            query = query.where(_CARDS.c.batch == batch)
        if pending:
            query = query.where(_CARDS.c.pending != "")
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [self._rows.seen(row["imsi"], _values(row)) for row in rows]

    def states(self, account: str, batch: str, *, after: str, most: int) -> list[tuple[str, CardState]]:
        """Return IMSIs and states of a batch's cards by IMSI, after one."""
        query = sa.select(_CARDS.c.imsi, _CARDS.c.state).where(_LOADED, _CARDS.c.imsi > after)
        query = query.where(_CARDS.c.account == account, _CARDS.c.batch == batch).order_by(_CARDS.c.imsi).limit(most)
        with self._engine.connect() as connection:
            return [(imsi, CardState(state)) for imsi, state in connection.execute(query)]

    def page(
        self, where: Mapping[str, str], *, imei: str = "", after: str, most: int, accounts: frozenset[str] | None = None
    ) -> tuple[list[Card], bool, int]:
        """Return at most so many cards by IMSI, after one, whether there are more, and how many there are in all.

        With these values, and bound to an IMEI (14 digits) or seen there last; with accounts, of these and since then.
        """
        columns = _CARDS.c
        only = [_LOADED, *(_is(name, value) for name, value in where.items())]
        if imei:
            seen = columns.terminal == imei
            only.append((columns.bound == imei) | (seen if accounts is None else seen & ~columns.handed_over))
        if accounts is not None:
            only.append(columns.account.in_(sorted(accounts - {""})))
        query = _HELD.where(*only, columns.imsi > after).order_by(columns.imsi).limit(most + 1)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
            total = connection.execute(sa.select(sa.func.count()).select_from(_CARDS).where(*only)).scalar_one()
        found = [self._rows.seen(row["imsi"], _values(row)) for row in rows[:most]]
        return found, len(rows) > most, total

    def put(self, card: Card, audit: dict[str, Any], notices: Sequence[Notice] = ()) -> None:
        """Keep a new card, or a changed one in place of what was kept, with the audit record and what is to be told.

        One that changes hands leaves its audit records behind, see `audited`.
        """
        held = self.get(card.imsi)
        with self._rows.writing(card.imsi) as connection:
            if held is not None and held.account != card.account:
                card.owner_since = _AUDIT.last(connection)
            row = _row(card)
            if connection.execute(_UPDATE.values(row), {"key": card.imsi}).rowcount == 0:
                connection.execute(sa.insert(_CARDS).values(row))
            _AUDIT.add(connection, [audit])
            for notice in notices:
                notice.keep(connection)
        self._rows.taken(card.imsi, row_of(card))

    def keep(self, changes: Sequence[Change], *, notices: Sequence[Notice] = ()) -> bool:
        """Keep changes of cards with their records and what is to be told of them, all or none.

        Returns False, and keeps nothing, if another first use of a card was faster.
        """
        with self._rows.writing(*(change.card.imsi for change in changes)) as connection:
            if not self._write(connection, changes):
                connection.rollback()
                self._rows.doubt(*(change.card.imsi for change in changes))
                return False
            records = [record for change in changes for record in change.audit]
            _AUDIT.add(connection, records)
            for notice in notices:
                notice.keep(connection)
        self._taken(changes)
        return True

    def _write(self, connection: sa.Connection, changes: Iterable[Change]) -> bool:
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for change in changes:
            if change.first_use:
                values = {"key": change.card.imsi, "new": change.first_use}
                if connection.execute(_CAPTURE, values).rowcount == 0:
                    return False
            if change.values:
                row = {f"new_{name}": value for name, value in _written(change.values).items()}
                alike.setdefault(tuple(change.values), []).append({"key": change.card.imsi, **row})
            for table, records in ((_RISKS, change.risks), (_CONTACTS, change.contacts)):
                if records:
                    connection.execute(sa.insert(table), records)
        for names, rows in alike.items():
            connection.execute(_UPDATE.values({name: sa.bindparam(f"new_{name}") for name in names}), rows)
        return True

    def _taken(self, changes: Iterable[Change]) -> None:
        for change in changes:
            first_use = {"bound": change.first_use} if change.first_use else {}
            self._rows.taken(change.card.imsi, {**change.values, **first_use})

    def told(self, cards: Sequence[Card], what: str) -> None:
        """Keep that the HSS was told what was pending, save of cards of which something else is by now."""
        with self._rows.writing(*(card.imsi for card in cards)) as connection:
            connection.execute(_TOLD, [{"key": card.imsi, "what": what} for card in cards])
        for card in cards:
            if card.pending == what:
                card.pending = ""

    def taken(self, card: Card) -> list[tuple[str, str]]:
        """Return which of a card's identities are those of another one, and their values."""
        with self._engine.connect() as connection:
            found = taken(connection, _CARDS, {"msisdn": [card.msisdn], "iccid": [card.iccid]}, but=card.imsi)
            if self.get(card.imsi) is None:  # it may be one of a load that is under way
                found += taken(connection, _CARDS, {"imsi": [card.imsi]})
            return found

    def holds_any(self, cards: Sequence[CardProvision]) -> bool:
        """Whether a card of some is held, or has the number or ICCID of another, held or of these."""
        identities = {name: [getattr(card, name) for card in cards] for name in IDENTITIES}
        with self._engine.connect() as connection:
            return alike(identities) or bool(taken(connection, _CARDS, identities))

    def put_new(self, cards: Sequence[Card], audit: Sequence[dict[str, Any]]) -> None:
        """Keep new cards with their audit records, all or none; each is read when somebody asks for it."""
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_CARDS), [_row(card) for card in cards])
            _AUDIT.add(connection, audit)

    # -- loads

    def begin_load(self, load: str) -> None:
        """Begin to load many new cards: those of the load do not exist before it has ended."""
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_LOADS).values(id=load))

    def load(self, load: str, cards: Sequence[Card]) -> list[tuple[str, str]]:
        """Keep some cards of a load; if cards have some of their identities already, return those and keep nothing."""
        rows = [_row(card) | {"loaded_by": load} for card in cards]
        identities = {name: [row[name] for row in rows] for name in IDENTITIES}
        with self._engine.begin() as connection:
            held = taken(connection, _CARDS, identities)
            if not held:
                connection.execute(sa.insert(_CARDS), rows)
        return held

    def end_load(self, load: str, audit: dict[str, Any]) -> None:
        """Let all cards of a load exist."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_LOADS).where(_LOADS.c.id == load))
            _AUDIT.add(connection, [audit])

    def unload(self, imsis: Sequence[str]) -> None:
        """Take away some cards of a load that fails."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_CARDS).where(_CARDS.c.imsi.in_(imsis), ~_LOADED))

    def give_up_loads(self, load: str = "") -> None:
        """Forget a load whose cards are taken away, or all of when the platform was killed, with their cards."""
        with self._engine.begin() as connection:
            if not load:
                connection.execute(sa.delete(_CARDS).where(~_LOADED))
            connection.execute(sa.delete(_LOADS).where(_LOADS.c.id == load) if load else sa.delete(_LOADS))

    # -- accounts and pools

    def settings(self, kind: str) -> dict[str, Any]:
        """Return accounts or pools that management has set, by name; None for one that it took away."""
        query = sa.select(_SETTINGS).where(_SETTINGS.c.kind == kind).order_by(_SETTINGS.c.name)
        with self._engine.connect() as connection:
            return {row.name: row.value for row in connection.execute(query)}

    def set(self, audit: dict[str, Any], *values: tuple[str, str, Any]) -> None:
        """Keep settings (kind, name, value), as one; an account or a pool with None that there is none."""
        with self._engine.begin() as connection:
            for kind, name, value in values:
                connection.execute(sa.delete(_SETTINGS).where(_SETTINGS.c.kind == kind, _SETTINGS.c.name == name))
                connection.execute(sa.insert(_SETTINGS).values(kind=kind, name=name, value=value))
            _AUDIT.add(connection, [audit])

    def unset(self, kind: str, name: str) -> None:
        """Forget a setting."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_SETTINGS).where(_SETTINGS.c.kind == kind, _SETTINGS.c.name == name))

    # -- records

    def contacts(self, day: str, *, after: int, most: int) -> list[tuple[int, str, str]]:
        """Return (number, IMSI, IMEI) of contacts of a day (`2026-03-02`), in order, after one."""
        columns = (_CONTACTS.c.id, _CONTACTS.c.imsi, _CONTACTS.c.imei)
        query = sa.select(*columns).where(_CONTACTS.c.day == day, _CONTACTS.c.id > after).order_by(_CONTACTS.c.id)
        with self._engine.connect() as connection:
            return [(row.id, row.imsi, row.imei) for row in connection.execute(query.limit(most))]

    def unjudged(self, before: str) -> list[str]:
        """Return the days before a day that have contacts, in order: those that are judged end."""
        query = sa.select(_CONTACTS.c.day).where(_CONTACTS.c.day < before).distinct().order_by(_CONTACTS.c.day)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def judged(self, day: str, *, upto: int, most: int) -> bool:
        """End contacts of a day up to a number, so many at most, as they are judged; return whether there are more."""
        some = sa.select(_CONTACTS.c.id).where(_CONTACTS.c.day == day, _CONTACTS.c.id <= upto).limit(most)
        with self._engine.begin() as connection:
            return connection.execute(sa.delete(_CONTACTS).where(_CONTACTS.c.id.in_(some))).rowcount == most

    def risks(self, asked: Records, *, accounts: frozenset[str] | None = None) -> Page:
        """Return records of risk, the newest first; with accounts, of their cards and their time only.

        A card that changes hands leaves its records behind: they tell of the terminals of whose it was.
        """
        only = _asked(_RISKS, asked)
        if accounts is not None:
            only += [_RISKS.c.imsi.in_(_of(accounts)), _RISKS.c.account.in_(sorted(accounts))]
        return newest(self._engine, _RISKS, only, after=asked.after, most=asked.most)

    def audited(self, asked: Records, *, accounts: frozenset[str] | None = None) -> Page:
        """Return audit records, the newest first; with accounts, of their cards and their time only.

        That somebody else wanted to look at a card is the operator's business only.
        """
        records = _AUDIT.table
        only = _asked(records, asked)
        if accounts is not None:
            theirs = _of(accounts).where(_CARDS.c.imsi == records.c.imsi, _CARDS.c.owner_since < records.c.id)
            only += [theirs.exists(), records.c.action != LOOK_REFUSED]
        return newest(self._engine, records, only, after=asked.after, most=asked.most)
