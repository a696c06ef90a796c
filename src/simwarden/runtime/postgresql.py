"""A PostgreSQL that falls silent: what it is asked ends as an error, in bounded time.

A server that went away is noticed by its socket. One that hangs (stopped, swapping, its disk gone) keeps its socket,
and its host acknowledges what it is sent: neither libpq nor `tcp_user_timeout` ends the wait. Nor does
`statement_timeout`, which the server itself has to enforce. So the wait is bounded here as well. Apart from `store`:
psycopg is heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from psycopg.waiting import Ready

if TYPE_CHECKING:
    from psycopg.abc import RV, PQGen

#: seconds after which a wait looks up
_TICK = 0.1


def be_patient(engine: sa.Engine, seconds: float) -> None:
    """Bound how long new connections of an engine wait for a word of the server.

    The server ends a statement by itself after that time, so that one that waits for a lock leaves nothing behind; a
    server that does not even do that loses the connection a little later. Both are psycopg's OperationalError.
    """

    class Patient(psycopg.Connection[Any]):
        def wait(self, gen: PQGen[RV], interval: float = _TICK, *more: Any, **named: Any) -> RV:
            return super().wait(_bounded(self, gen, int(1.2 * seconds / interval) + 1), interval, *more, **named)

    def connect(_dialect: object, _record: object, words: tuple[Any, ...], named: dict[str, Any]) -> Patient:
        options = f"{named.get('options', '')} -c statement_timeout={int(seconds * 1000)}"
        return Patient.connect(*words, **{**named, "options": options})

    sa.event.listen(engine, "do_connect", connect)


def _bounded(connection: psycopg.Connection[Any], work: PQGen[RV], most: int) -> PQGen[RV]:
    """Do a piece of work, and close the connection when nothing has come of it so many times in a row."""
    idle = 0
    try:
        wanted = next(work)
        while True:
            ready = yield wanted
            idle = idle + 1 if ready == Ready.NONE else 0
            if idle > most:
                connection.pgconn.finish()
                raise psycopg.OperationalError("the server is silent")
            wanted = work.send(ready)
    except StopIteration as done:
        found: RV = done.value
        return found
