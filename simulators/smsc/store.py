"""What the centre keeps over a restart: lists of cards, messages that are not delivered, counters, and the audit.

What is committed, and only then in memory, is there after a killed process. Changes of lists are committed before the
method returns, messages in groups (`runtime.batch`). Messages that are over leave the table, and CDRs tell of them; the
last that a gateway submitted stay as long as they are known again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from simulators.smsc.card import CardList
from simulators.smsc.config import SmscSms
from simulators.smsc.events import AUDITED
from simulators.smsc.message import Direction, ShortMessage
from simwarden.operations.list_store import Counters, CounterTable, ListStore, ListTables
from simwarden.operations.record_columns import record_columns, row_of
from simwarden.runtime.statement import Statement, carry_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def _add_scheduled(connection: sa.Connection) -> None:
    """Version 1: scheduled delivery times; stored messages have none."""
    connection.exec_driver_sql("ALTER TABLE messages ADD COLUMN scheduled FLOAT NOT NULL DEFAULT 0")


METADATA = sa.MetaData(info={"migrations": (_add_scheduled,)})
_LISTS = ListTables(METADATA, CardList, "sms", SmscSms, AUDITED)
_MESSAGES = sa.Table(
    "messages",
    METADATA,
    *record_columns(ShortMessage, "id"),
    sa.Column("over", sa.Boolean, nullable=False),
)
_COUNTERS = CounterTable(METADATA)
_LAST = sa.Table("last", METADATA, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False))
_THIS = _MESSAGES.c.id == sa.bindparam("key")
_ADD = Statement(sa.insert(_MESSAGES))
_TRIED = Statement(sa.update(_MESSAGES).where(_THIS).values(attempts=sa.bindparam("count")))
_OVER = Statement(sa.update(_MESSAGES).where(_THIS).values(over=sa.true()))
_DROP = Statement(sa.delete(_MESSAGES).where(_THIS))
_NEXT = Statement(sa.update(_LAST).values(id=sa.bindparam("key")))
#: submissions of a gateway that are known again, more than it may have without answer
_LATELY: Final = 128


@dataclass(slots=True)
class _Memory:
    messages: dict[int, ShortMessage] = field(default_factory=dict)
    by_card: dict[str, dict[int, ShortMessage]] = field(default_factory=dict)


class Store(ListStore[CardList]):
    """The database of one centre."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine, _LISTS)
        self._counters = Counters(engine, _COUNTERS)
        self.charge, self.used = self._counters.charge, self._counters.used
        self._held = _Memory()
        #: by gateway and reference: its last messages, over or not, and those over that are to leave the table
        self._lately: dict[str, dict[int, ShortMessage]] = {}
        self._forgotten: set[int] = set()
        with engine.begin() as connection:
            for kept in connection.execute(sa.select(_MESSAGES).order_by(_MESSAGES.c.id)).mappings():
                values = dict(kept)
                over = values.pop("over")
                (self._remember if over else self._hold)(ShortMessage(**values))
            last = connection.execute(sa.select(_LAST.c.id)).scalar()
            if last is None:
                connection.execute(sa.insert(_LAST).values(id=0))
            self._next = last or 0

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
        work = (
            (_TRIED, [{"key": each.id, "count": each.attempts} for each in changed]),
            (_OVER, [{"key": each.id} for each in stay]),
            (_DROP, [{"key": each} for each in (*leave, *(each.id for each in again))]),
            (_ADD, [{"over": False, **row_of(each)} for each in new]),
            (_NEXT, [{"key": max(each.id for each in new)}] if new else []),
            *self._counters.pending(),
        )
        carry_out(self._engine, work)
        self._counters.written()
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
