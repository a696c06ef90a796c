"""What the SCP keeps over a restart: cards with their lists, the time that they have used, and the audit.

Changes of cards are committed before the method returns, times in groups (`runtime.batch`). What a call is given is
committed as used before the SSP hears of it; what it did not need is given back by its report, and by nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simulators.scp.card import VoiceCard
from simulators.scp.config import ScpVoice
from simulators.scp.events import AUDITED
from simwarden.operations.audit_table import AuditTable
from simwarden.operations.held_cards import HeldCards

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.scp.call import Grant

METADATA = sa.MetaData()
_CARDS = sa.Table(
    "cards",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("msisdn", sa.String, nullable=False, index=True),
    sa.Column("voice", sa.JSON),
    sa.Column("suspended", sa.String),
)
_COUNTERS = sa.Table(
    "counters",
    METADATA,
    sa.Column("imsi", sa.String(15), primary_key=True),
    sa.Column("month", sa.String(7), primary_key=True),
    #: units of 100 ms
    sa.Column("used", sa.BigInteger, nullable=False),
)
_AUDIT = AuditTable(METADATA, events=AUDITED)
# made once: SQLAlchemy takes longer to make a statement than SQLite to carry it out
_UNCOUNT = sa.delete(_COUNTERS).where(_COUNTERS.c.imsi == sa.bindparam("card"), _COUNTERS.c.month == sa.bindparam("of"))
_COUNT = sa.insert(_COUNTERS)


@dataclass(slots=True)
class _Memory:
    used: dict[tuple[str, str], int] = field(default_factory=dict)


class Store(HeldCards[VoiceCard]):
    """The database of one SCP."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__()
        self._engine = engine
        self.audit, self.count = partial(_AUDIT.keep, engine), partial(_AUDIT.count, engine)
        self.audited = partial(_AUDIT.read, engine)
        self._held = _Memory()
        #: counters that are to be written
        self._counted: set[tuple[str, str]] = set()
        with engine.begin() as connection:
            for row in connection.execute(sa.select(_CARDS)):
                voice = ScpVoice.model_validate(row.voice) if row.voice else None
                self.take(VoiceCard(row.imsi, row.msisdn, voice, row.suspended))
            for row in connection.execute(sa.select(_COUNTERS)):
                self._held.used[row.imsi, row.month] = row.used

    # -- cards

    def put(self, card: VoiceCard, audit: dict[str, Any]) -> None:
        """Keep a card with the audit record of the change."""
        row = {"imsi": card.imsi, "msisdn": card.msisdn, "suspended": card.suspended}
        voice = card.voice.model_dump(mode="json") if card.voice is not None else None
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_CARDS).where(_CARDS.c.imsi == card.imsi))
            connection.execute(sa.insert(_CARDS).values(**row, voice=voice))
            _AUDIT.add(connection, [audit])
        self.take(card)

    def suspend(self, card: VoiceCard, why: str | None, audit: dict[str, Any]) -> None:
        """Keep why a card is suspended, None: it is not, with the audit record."""
        self.put(replace(card, suspended=why), audit)

    # -- time

    def charge(self, imsi: str, month: str, units: int) -> None:
        """Count so much time for a card's quota; kept with what is written next. Negative: take back."""
        self._held.used[imsi, month] = self.used(imsi, month) + units
        self._counted.add((imsi, month))

    def used(self, imsi: str, month: str) -> int:
        """Return how much time of a card was counted in a month (`2026-03`), with what its calls are given."""
        return self._held.used.get((imsi, month), 0)

    def write(self, added: Iterable[Grant], changed: Iterable[Grant], dropped: Iterable[Grant]) -> None:
        """Keep what was counted: a grant is part of it, from when it is given to when it is reported."""
        del added, changed, dropped
        rows = [{"imsi": imsi, "month": of, "used": self.used(imsi, of)} for imsi, of in sorted(self._counted)]
        if not rows:
            return
        with self._engine.begin() as connection:
            connection.execute(_UNCOUNT, [{"card": each["imsi"], "of": each["month"]} for each in rows])
            connection.execute(_COUNT, rows)
        self._counted.clear()
