"""The requests of peers outside that wait to be served: a few at a turn, and none longer than its answer is waited for.

Between two turns the event loop hears its sockets, so that a watchdog, a request of another peer and a call of the
management interface wait for one turn and not for a burst. What would be answered too late is turned away at once, with
3004 DIAMETER_TOO_BUSY (RFC 6733 7.1.3): its peer may send it elsewhere, or later, and needs not send it twice.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: requests that are taken up at one turn of the event loop at the most, and seconds that a turn is to take
_MOST: Final = 32
_TURN: Final = 0.02
#: seconds that a request may wait to be taken up: a third of what `DiameterNode.ask` waits for an answer
LONGEST_WAIT: Final = 2.0
#: share of the newest turn in the pace that is expected
_NEWEST: Final = 0.2


class RequestQueue:
    """Requests in the order in which they came; each is a function that begins to serve it."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._pace = 0.001
        self._taken, self._since = 0, 0.0
        self._runs = False

    def put(self, begin: Callable[[], None]) -> bool:
        """Have a request served in its turn; False for one that would wait for too long."""
        if len(self._waiting) * self._pace > LONGEST_WAIT:
            return False
        self._waiting.append(begin)
        if not self._runs:
            self._runs, self._taken = True, 0
            asyncio.get_running_loop().call_soon(self._turn)
        return True

    def _turn(self) -> None:
        now = time.perf_counter()  # of the processor's time, not of the run's
        if self._taken:
            self._pace += _NEWEST * ((now - self._since) / self._taken - self._pace)
        self._taken, self._since = min(len(self._waiting), _MOST, max(1, int(_TURN / self._pace))), now
        self._runs = bool(self._waiting)
        for _ in range(self._taken):
            self._waiting.popleft()()
        if self._runs:
            asyncio.get_running_loop().call_soon(self._turn)
