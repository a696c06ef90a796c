"""What the platform keeps: cards with bindings and states, accounts, pools, contacts, risks, and the audit.

Each change is committed before the method returns, so that an answer which follows it never tells more than a killed
process would remember. A first use binds by one conditional UPDATE: of two at once exactly one wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simulators.cmp.card import Card
from simwarden.policy.card_states import CardState
from simwarden.runtime.audit_table import AuditTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

METADATA = sa.MetaData(info={"schema": "cmp"})
_CARDS = sa.Table(
    "cards",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("iccid", sa.String(20), nullable=False, index=True),
    sa.Column("msisdn", sa.String(15), nullable=False, index=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("form", sa.String, nullable=False),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("batch", sa.String, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("mode", sa.String(8), nullable=False),
    sa.Column("bound", sa.String(14), nullable=False),
    sa.Column("terminal", sa.String(14), nullable=False),
    sa.Column("first", sa.String(14), nullable=False),
    sa.Column("mismatches", sa.Integer, nullable=False),
    sa.Column("operated", sa.Float, nullable=False),
    sa.Column("owed", sa.String(8), nullable=False),
    sa.Index("cmp_cards_by_batch", "account", "batch"),
)
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
_AUDIT = AuditTable(METADATA)
_FIELDS = tuple(Card.__dataclass_fields__)
_BY_IMSI = sa.select(_CARDS).where(_CARDS.c.imsi == sa.bindparam("key"))
_UPDATE = sa.update(_CARDS).where(_CARDS.c.imsi == sa.bindparam("key"))
_WHOLE = _UPDATE.values({name: sa.bindparam(f"new_{name}") for name in _FIELDS})
_CAPTURE = _UPDATE.where(_CARDS.c.bound == "", _CARDS.c.mode == "learned").values(bound=sa.bindparam("new"))
#: a change of a held binding, which the limit counts
REBIND = "rebind"
#: cards whose rows are kept in memory at most
_CACHE = 100_000


def _row(card: Card) -> dict[str, Any]:
    values = {name: getattr(card, name) for name in _FIELDS}
    values["state"] = card.state.value
    return values


def _card(row: sa.RowMapping) -> Card:
    return Card(**{**dict(row), "state": CardState(row["state"])})


class Store:
    """The database of one platform."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._cache: dict[str, Card] = {}

    # -- cards

    def get(self, imsi: str) -> Card | None:
        """Return a card, None if there is none with this IMSI."""
        found = self._cache.get(imsi)
        if found is None:
            with self._engine.connect() as connection:
                row = connection.execute(_BY_IMSI, {"key": imsi}).mappings().first()
            if row is not None:
                found = self._keep(_card(row))
        return found

    def _keep(self, card: Card) -> Card:
        self._cache[card.imsi] = card
        if len(self._cache) > _CACHE:
            del self._cache[next(iter(self._cache))]
        return card

    def find(self, *, msisdn: str = "", iccid: str = "", name: str = "") -> Card | None:
        """Return the card of a number (digits without a plus), of an ICCID, or of a scenario's name."""
        column, value = next(
            (column, value)
            for column, value in ((_CARDS.c.msisdn, msisdn), (_CARDS.c.iccid, iccid), (_CARDS.c.name, name))
            if value
        )
        with self._engine.connect() as connection:
            imsi = connection.execute(sa.select(_CARDS.c.imsi).where(column == value)).scalar()
        return self.get(imsi) if imsi is not None else None

    def select(self, account: str | None = None, batch: str | None = None, *, owed: bool = False) -> Iterator[Card]:
        """Yield cards by IMSI, of an account, of a batch, or those that the register has to be told of."""
        query = sa.select(_CARDS.c.imsi).order_by(_CARDS.c.imsi)
        if account is not None:
            query = query.where(_CARDS.c.account == account)
        if batch is not None:
            query = query.where(_CARDS.c.batch == batch)
        if owed:
            query = query.where(_CARDS.c.owed != "")
        with self._engine.connect() as connection:
            imsis = connection.execute(query).scalars().all()
        for imsi in imsis:
            found = self.get(imsi)
            if found is not None:
                yield found

    def put(self, card: Card, *audit: dict[str, Any]) -> None:
        """Keep a new card, or a changed one in place of what was kept, together with its audit records."""
        values = _row(card)
        with self._engine.begin() as connection:
            changed = connection.execute(_WHOLE, {"key": card.imsi, **{f"new_{k}": v for k, v in values.items()}})
            if changed.rowcount == 0:
                connection.execute(sa.insert(_CARDS).values(values))
            _AUDIT.add(connection, audit)
        self._keep(card)

    def put_all(self, cards: Sequence[Card], audit: Sequence[dict[str, Any]]) -> None:
        """Keep many changed cards, or none of them."""
        with self._engine.begin() as connection:
            rows = [{"key": card.imsi, **{f"new_{k}": v for k, v in _row(card).items()}} for card in cards]
            if rows:
                connection.execute(_WHOLE, rows)
            _AUDIT.add(connection, audit)

    def load(self, cards: Iterable[Card], audit: dict[str, Any]) -> list[str]:
        """Keep many new cards, or none of them; return the IMSIs that are held already, for which nothing was kept."""
        rows = [_row(card) for card in cards]
        imsis = [row["imsi"] for row in rows]
        held: list[str] = []
        with self._engine.begin() as connection:
            for start in range(0, len(imsis), 500):
                part = imsis[start : start + 500]
                held += connection.execute(sa.select(_CARDS.c.imsi).where(_CARDS.c.imsi.in_(part))).scalars()
            if not held and rows:
                connection.execute(sa.insert(_CARDS), rows)
                _AUDIT.add(connection, [audit])
        return held

    def capture(self, card: Card, imei: str, audit: dict[str, Any]) -> bool:
        """Bind a card to the terminal of its first use; False if another first use was faster."""
        with self._engine.begin() as connection:
            if connection.execute(_CAPTURE, {"key": card.imsi, "new": imei}).rowcount == 0:
                connection.rollback()
                self._cache.pop(card.imsi, None)
                return False
            _AUDIT.add(connection, [audit])
        card.bound = imei
        return True

    # -- accounts and pools

    def settings(self, kind: str) -> dict[str, Any]:
        """Return accounts or pools that management has set, by name; None for one that it took away."""
        query = sa.select(_SETTINGS).where(_SETTINGS.c.kind == kind).order_by(_SETTINGS.c.name)
        with self._engine.connect() as connection:
            return {row.name: row.value for row in connection.execute(query)}

    def set(self, kind: str, name: str, value: Any, audit: dict[str, Any]) -> None:
        """Keep an account or a pool, or with None that there is none."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_SETTINGS).where(_SETTINGS.c.kind == kind, _SETTINGS.c.name == name))
            connection.execute(sa.insert(_SETTINGS).values(kind=kind, name=name, value=value))
            _AUDIT.add(connection, [audit])

    # -- records

    def contact(self, record: dict[str, Any]) -> None:
        """Keep that the network saw a card in a terminal."""
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_CONTACTS).values(record))

    def contacts(self, day: str) -> list[tuple[str, str, str]]:
        """Return (time, IMSI, IMEI) of the contacts of a day (`2026-03-02`), in order."""
        columns = (_CONTACTS.c.at, _CONTACTS.c.imsi, _CONTACTS.c.imei)
        query = sa.select(*columns).where(_CONTACTS.c.day == day).order_by(_CONTACTS.c.id)
        with self._engine.connect() as connection:
            return [(row.at, row.imsi, row.imei) for row in connection.execute(query)]

    def risk(self, record: dict[str, Any]) -> None:
        """Keep a record of risk."""
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_RISKS).values(record))

    def risks(self, imsi: str = "") -> list[dict[str, Any]]:
        """Return records of risk in order, of one card or of all."""
        query = sa.select(_RISKS).order_by(_RISKS.c.id)
        if imsi:
            query = query.where(_RISKS.c.imsi == imsi)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def audit(self, record: dict[str, Any]) -> None:
        """Keep an audit record."""
        _AUDIT.keep(self._engine, record)

    def audited(self, imsi: str = "") -> list[dict[str, Any]]:
        """Return audit records in order, of one card or of all."""
        return _AUDIT.read(self._engine, imsi)

    def rebindings(self, imsi: str, since: str) -> int:
        """Return how often a card's held binding was changed since a time (ISO, UTC)."""
        return _AUDIT.count(self._engine, imsi, REBIND, since)
