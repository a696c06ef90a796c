"""What a gateway keeps over a restart: customers, cards, codes, messages, and the audit.

Messages are written in groups (`runtime.batch`): what came in one turn of the loop is one transaction, and only then is
any of it acknowledged.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from simulators.sms_gateway.config import Account
from simulators.sms_gateway.messages import Card, Kind, Message, State
from simwarden.operations.access_codes import AllocatedCode
from simwarden.operations.audit_table import AuditTable
from simwarden.policy.numbers import party

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def _add_scheduled(connection: sa.Connection) -> None:
    """Version 1: scheduled delivery times; stored messages have none."""
    connection.exec_driver_sql("ALTER TABLE messages ADD COLUMN scheduled FLOAT NOT NULL DEFAULT 0")


METADATA = sa.MetaData(info={"schema": "sms_gateway", "migrations": (_add_scheduled,)})
_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ACCOUNTS = sa.Table(
    "accounts",
    METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("stamp", sa.BigInteger),
)
_CARDS = sa.Table(
    "cards",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("msisdn", sa.String(15), nullable=False, index=True),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("opened", sa.Boolean, nullable=False),
    sa.Column("numbers", sa.JSON, nullable=False),
)
_CODES = sa.Table(
    "codes",
    METADATA,
    sa.Column("code", sa.String(20), primary_key=True),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("ota", sa.Boolean, nullable=False),
)
_NUMBERS = sa.Table(
    "numbers", METADATA, sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.Float, nullable=False)
)
_MESSAGES = sa.Table(
    "messages",
    METADATA,
    sa.Column("id", _BIG, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Integer, nullable=False),
    *(sa.Column(name, sa.String, nullable=False) for name in ("account", "code", "card", "number", "state")),
    *(sa.Column(name, sa.Float, nullable=False) for name in ("submitted", "until", "scheduled")),
    sa.Column("octets", sa.LargeBinary, nullable=False),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("data_coding", "protocol_id", "priority", "registered")),
    sa.Column("udhi", sa.Boolean, nullable=False),
    *(sa.Column(name, sa.String, nullable=False) for name in ("centre_id", "outcome", "error")),
    sa.Column("about", sa.BigInteger, nullable=False),
    sa.Column("repeated", sa.Integer, nullable=False),
)
_AUDIT = AuditTable(METADATA)
_ADD: Final = sa.insert(_MESSAGES)
_CHANGE: Final = (
    sa.update(_MESSAGES)
    .where(_MESSAGES.c.id == sa.bindparam("of"))
    .values(state=sa.bindparam("to"), centre_id=sa.bindparam("known"), repeated=sa.bindparam("times"))
)
_DROP: Final = sa.delete(_MESSAGES).where(_MESSAGES.c.id == sa.bindparam("of"))


def _row(message: Message) -> dict[str, Any]:
    found = {each.name: getattr(message, each.name) for each in dataclasses.fields(message)}
    return {**found, "kind": int(message.kind), "state": message.state.value}


class Store:
    """The database of one gateway."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    # -- what was there at the start

    def accounts(self) -> dict[str, tuple[Account | None, int | None]]:
        """Return the accounts with the time stamps of their last connections by CMPP; None for one that was deleted."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_ACCOUNTS).order_by(_ACCOUNTS.c.name)).all()
        return {row.name: (Account.model_validate(row.value) if row.value else None, row.stamp) for row in rows}

    def cards(self) -> list[Card]:
        """Return all cards."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_CARDS).order_by(_CARDS.c.imsi)).all()
        return [
            Card(row.imsi, row.msisdn, row.account, row.opened, tuple(row.numbers), frozenset(map(party, row.numbers)))
            for row in rows
        ]

    def codes(self) -> dict[str, AllocatedCode]:
        """Return the list of codes."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_CODES).order_by(_CODES.c.code)).all()
        return {row.code: AllocatedCode(account=row.account, ota=row.ota) for row in rows}

    def number(self, name: str, default: float = 0) -> float:
        """Return a number that is kept by name."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(_NUMBERS.c.value).where(_NUMBERS.c.name == name)).scalar()
        return default if found is None else float(found)

    def messages(self) -> list[Message]:
        """Return the messages that are not over, in order."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_MESSAGES).order_by(_MESSAGES.c.id)).mappings().all()
        return [Message(**{**row, "kind": Kind(row["kind"]), "state": State(row["state"])}) for row in rows]

    # -- changes by management

    def put_account(self, name: str, account: Account, stamp: int | None, audit: dict[str, Any] | None = None) -> None:
        """Keep an account; of its password the hash, of its secret all."""
        row = {"name": name, "value": account.model_dump(mode="json"), "stamp": stamp}
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_ACCOUNTS).where(_ACCOUNTS.c.name == name))
            connection.execute(sa.insert(_ACCOUNTS), row)
            _AUDIT.add(connection, [audit] if audit else [])

    def drop_account(self, name: str, audit: dict[str, Any]) -> None:
        """Keep that an account was deleted, or the settings would bring it back."""
        with self._engine.begin() as connection:
            connection.execute(sa.update(_ACCOUNTS).where(_ACCOUNTS.c.name == name).values(value=None, stamp=None))
            _AUDIT.add(connection, [audit])

    def put_card(self, card: Card, audit: dict[str, Any]) -> None:
        """Keep a card."""
        row = {name: getattr(card, name) for name in ("imsi", "msisdn", "account", "opened")}
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_CARDS).where(_CARDS.c.imsi == card.imsi))
            connection.execute(sa.insert(_CARDS), {**row, "numbers": list(card.numbers)})
            _AUDIT.add(connection, [audit])

    def put_codes(self, codes: Mapping[str, AllocatedCode | None], version: int, *, whole: bool) -> None:
        """Keep changes of the list of codes, or the whole list, by which it has a version."""
        rows = [{"code": code, "account": each.account, "ota": each.ota} for code, each in codes.items() if each]
        with self._engine.begin() as connection:
            gone = sa.delete(_CODES) if whole else sa.delete(_CODES).where(_CODES.c.code.in_(list(codes)))
            connection.execute(gone)
            if rows:
                connection.execute(sa.insert(_CODES), rows)
            _keep_number(connection, "version", version)

    def keep_number(self, name: str, value: float) -> None:
        """Keep a number by name."""
        with self._engine.begin() as connection:
            _keep_number(connection, name, value)

    def keep_stamp(self, name: str, stamp: int) -> None:
        """Keep with which time stamp an account was connected last."""
        with self._engine.begin() as connection:
            connection.execute(sa.update(_ACCOUNTS).where(_ACCOUNTS.c.name == name).values(stamp=stamp))

    # -- messages

    def write(self, added: Iterable[Message], changed: Iterable[Message], dropped: Iterable[Message]) -> None:
        """Keep new messages, what became of some, and that some are over, all in one transaction."""
        changes = [
            {"of": each.id, "to": each.state.value, "known": each.centre_id, "times": each.repeated} for each in changed
        ]
        new, gone = list(map(_row, added)), [{"of": each.id} for each in dropped]
        # what nobody hears of is written until it is, perhaps after a commit whose answer was lost
        again = [{"of": each["id"]} for each in new if each["kind"] in (Kind.RECEIPT, Kind.CANCEL)]
        with self._engine.begin() as connection:
            if new:
                _keep_number(connection, "next", new[-1]["id"] + 1)
            for statement, rows in ((_DROP, again), (_ADD, new), (_CHANGE, changes), (_DROP, gone)):
                if rows:
                    connection.execute(statement, rows)

    # -- audit

    def count_changes(self, imsi: str, actions: tuple[str, ...], since: str) -> int:
        """Return how often some actions were carried out on a card since a time (ISO, UTC)."""
        return _AUDIT.count(self._engine, imsi, actions, since)

    def audit(self, record: dict[str, Any]) -> None:
        """Keep an audit record."""
        _AUDIT.keep(self._engine, record)

    def audited(self, imsi: str = "") -> list[dict[str, Any]]:
        """Return audit records in order, of one card or of all."""
        return _AUDIT.read(self._engine, imsi)


def _keep_number(connection: sa.Connection, name: str, value: float) -> None:
    connection.execute(sa.delete(_NUMBERS).where(_NUMBERS.c.name == name))
    connection.execute(sa.insert(_NUMBERS), {"name": name, "value": value})
