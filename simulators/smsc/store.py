"""What the centre keeps over a restart: lists of cards, messages that are not delivered, counters, and the audit.

What is committed, and only then in memory, is there after a killed process. Changes of lists are committed before the
method returns, messages in groups (`runtime.batch`). Messages that are over leave the table, and CDRs tell of them; the
last that a gateway submitted stay as long as they are known again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from simulators.smsc.card import CardList
from simulators.smsc.config import SmscSms
from simulators.smsc.events import AUDITED
from simulators.smsc.message import Direction, ShortMessage
from simwarden.operations.audit_table import AuditTable
from simwarden.operations.held_cards import HeldCards

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def _add_scheduled(connection: sa.Connection) -> None:
    """Version 1: scheduled delivery times; stored messages have none."""
    connection.exec_driver_sql("ALTER TABLE messages ADD COLUMN scheduled FLOAT NOT NULL DEFAULT 0")


METADATA = sa.MetaData(info={"migrations": (_add_scheduled,)})
_CARDS = sa.Table(
    "cards",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("msisdn", sa.String, nullable=False, index=True),
    sa.Column("sms", sa.JSON),
)
_MESSAGES = sa.Table(
    "messages",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("direction", sa.String(8), nullable=False),
    sa.Column("imsi", sa.String(15), nullable=False),
    sa.Column("number", sa.String, nullable=False),
    sa.Column("ton", sa.Integer, nullable=False),
    sa.Column("npi", sa.Integer, nullable=False),
    sa.Column("gateway", sa.String, nullable=False),
    sa.Column("protocol_identifier", sa.Integer, nullable=False),
    sa.Column("data_coding", sa.Integer, nullable=False),
    sa.Column("header", sa.LargeBinary, nullable=False),
    sa.Column("octets", sa.LargeBinary, nullable=False),
    sa.Column("taken", sa.Float, nullable=False),
    sa.Column("expires", sa.Float, nullable=False),
    sa.Column("reference", sa.Integer, nullable=False),
    sa.Column("receipt", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("about", sa.String, nullable=False),
    sa.Column("scheduled", sa.Float, nullable=False),
    sa.Column("over", sa.Boolean, nullable=False, default=False),
)
_COUNTERS = sa.Table(
    "counters",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("used", sa.Integer, nullable=False),
)
_LAST = sa.Table("last", METADATA, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False))
_AUDIT = AuditTable(METADATA, events=AUDITED)
# made once: SQLAlchemy takes longer to make a statement than SQLite to carry it out
_FIELDS = tuple(each.name for each in fields(ShortMessage))
_ADD = sa.insert(_MESSAGES)
_TRIED = sa.update(_MESSAGES).where(_MESSAGES.c.id == sa.bindparam("key")).values(attempts=sa.bindparam("count"))
_OVER = sa.update(_MESSAGES).where(_MESSAGES.c.id == sa.bindparam("key")).values(over=True)
_DROP = sa.delete(_MESSAGES).where(_MESSAGES.c.id == sa.bindparam("key"))
_NEXT = sa.update(_LAST).values(id=sa.bindparam("key"))
_UNCOUNT = sa.delete(_COUNTERS).where(_COUNTERS.c.imsi == sa.bindparam("card"), _COUNTERS.c.month == sa.bindparam("of"))
_COUNT = sa.insert(_COUNTERS)
#: submissions of a gateway that are known again, more than it may have without answer
_LATELY: Final = 128


@dataclass(slots=True)
class _Memory:
    messages: dict[int, ShortMessage] = field(default_factory=dict)
    by_card: dict[str, dict[int, ShortMessage]] = field(default_factory=dict)
    used: dict[tuple[str, str], int] = field(default_factory=dict)


class Store(HeldCards[CardList]):
    """The database of one centre."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__()
        self._engine = engine
        self.audit, self.count = partial(_AUDIT.keep, engine), partial(_AUDIT.count, engine)
        self.audited = partial(_AUDIT.read, engine)
        self._held = _Memory()
        #: counters that are to be written
        self._counted: set[tuple[str, str]] = set()
        #: by gateway and reference: its last messages, over or not, and those over that are to leave the table
        self._lately: dict[str, dict[int, ShortMessage]] = {}
        self._forgotten: set[int] = set()
        with engine.begin() as connection:
            for row in connection.execute(sa.select(_CARDS)):
                self.take(CardList(row.imsi, row.msisdn, SmscSms.model_validate(row.sms) if row.sms else None))
            for kept in connection.execute(sa.select(_MESSAGES).order_by(_MESSAGES.c.id)).mappings():
                message = ShortMessage(**{name: kept[name] for name in _FIELDS})
                (self._remember if kept["over"] else self._hold)(message)
            for row in connection.execute(sa.select(_COUNTERS)):
                self._held.used[row.imsi, row.month] = row.used
            last = connection.execute(sa.select(_LAST.c.id)).scalar()
            if last is None:
                connection.execute(sa.insert(_LAST).values(id=0))
            self._next = last or 0

    # -- cards

    def put(self, card: CardList, audit: dict[str, Any]) -> None:
        """Keep a card with the audit record of the change."""
        sms = card.sms.model_dump(mode="json") if card.sms is not None else None
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_CARDS).where(_CARDS.c.imsi == card.imsi))
            connection.execute(sa.insert(_CARDS).values(imsi=card.imsi, msisdn=card.msisdn, sms=sms))
            _AUDIT.add(connection, [audit])
        self.take(card)

    # -- messages

    @property
    def messages(self) -> Sequence[ShortMessage]:
        """All messages that are kept, the oldest first."""
        return tuple(self._held.messages.values())

    def messages_of(self, imsi: str) -> Sequence[ShortMessage]:
        """Return the messages of a card that are kept, the oldest first."""
        return tuple(self._held.by_card.get(imsi, {}).values())

    def message(self, number: int) -> ShortMessage | None:
        """Return a message that is not over."""
        return self._held.messages.get(number)

    def next_id(self) -> int:
        """Return the identifier of the next message, which no other has had."""
        self._next += 1
        return self._next

    def write(
        self, added: Iterable[ShortMessage], changed: Iterable[ShortMessage], dropped: Iterable[ShortMessage]
    ) -> None:
        """Keep new messages, attempts made, that some are over, and what was counted, in one transaction."""
        new, gone = list(added), list(dropped)
        stay = [each for each in gone if self.known_again(each.gateway, each.reference) is each]
        leave = {each.id for each in gone}.difference(each.id for each in stay) | self._forgotten
        # what tells of a message is written until it is, perhaps after a commit whose answer was lost
        again = [each for each in new if each.direction in (Direction.REPORT, Direction.RECEIPT)]
        counted = [{"imsi": imsi, "month": of, "used": self.used(imsi, of)} for imsi, of in sorted(self._counted)]
        work = (
            (_TRIED, [{"key": each.id, "count": each.attempts} for each in changed]),
            (_OVER, [{"key": each.id} for each in stay]),
            (_DROP, [{"key": each} for each in (*leave, *(each.id for each in again))]),
            (_ADD, [{name: getattr(each, name) for name in _FIELDS} for each in new]),
            (_NEXT, [{"key": max(each.id for each in new)}] if new else []),
            (_UNCOUNT, [{"card": each["imsi"], "of": each["month"]} for each in counted]),
            (_COUNT, counted),
        )
        with self._engine.begin() as connection:
            for statement, rows in work:
                if rows:
                    connection.execute(statement, rows)
        self._counted.clear()
        self._forgotten.clear()
        for each in gone:
            self._let_go(each)
        for each in new:
            self._hold(each)

    def known_again(self, gateway: str, reference: int) -> ShortMessage | None:
        """Return the last message that a gateway submitted with a reference, among as many as fly at once."""
        return self._lately.get(gateway, {}).get(reference)

    def _remember(self, message: ShortMessage) -> None:
        lately = self._lately.setdefault(message.gateway, {})
        former = lately.pop(message.reference, None)
        lately[message.reference] = message
        if len(lately) > _LATELY:
            former = lately.pop(next(iter(lately)))
        if former is not None and former.id not in self._held.messages:
            self._forgotten.add(former.id)

    def _hold(self, message: ShortMessage) -> None:
        self._held.messages[message.id] = message
        self._held.by_card.setdefault(message.imsi, {})[message.id] = message
        if message.direction == Direction.TO_CARD and message.reference:
            self._remember(message)

    def _let_go(self, message: ShortMessage) -> None:
        self._held.messages.pop(message.id, None)
        self._held.by_card.get(message.imsi, {}).pop(message.id, None)

    def charge(self, imsi: str, month: str, parts: int) -> None:
        """Count so many messages for a card's quota; kept with what is written next. Negative: take back."""
        self._held.used[imsi, month] = self.used(imsi, month) + parts
        self._counted.add((imsi, month))

    def used(self, imsi: str, month: str) -> int:
        """Return how many messages of a card were counted in a month (`2026-03`)."""
        return self._held.used.get((imsi, month), 0)
