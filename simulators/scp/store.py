"""What the SCP keeps over a restart: cards with their lists, the time that they have used, and the audit.

Changes of cards are committed before the method returns, times in groups (`runtime.batch`). What a call is given is
committed as used before the SSP hears of it; what it did not need is given back by its report, and by nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from simulators.scp.card import VoiceCard
from simulators.scp.config import ScpVoice
from simulators.scp.events import AUDITED
from simwarden.operations.list_store import Counters, CounterTable, ListStore, ListTables
from simwarden.runtime.statement import carry_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.scp.call import Grant

METADATA = sa.MetaData()
_LISTS = ListTables(METADATA, VoiceCard, "voice", ScpVoice, AUDITED)
#: units of 100 ms
_COUNTERS = CounterTable(METADATA)


class Store(ListStore[VoiceCard]):
    """The database of one SCP."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine, _LISTS)
        self._counters = Counters(engine, _COUNTERS)
        self.charge, self.used = self._counters.charge, self._counters.used

    def write(self, added: Iterable[Grant], changed: Iterable[Grant], dropped: Iterable[Grant]) -> None:
        """Keep what was counted: a grant is part of it, from when it is given to when it is reported."""
        del added, changed, dropped
        carry_out(self._engine, self._counters.pending())
        self._counters.written()
