"""What tests wait by: conditions instead of times, and ports that nobody else gets meanwhile."""

from __future__ import annotations

import asyncio
import functools
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

P = ParamSpec("P")

#: seconds after which something does not happen any more, on a machine however busy
LONG = 90.0


def until(condition: Callable[[], object], seconds: float = LONG) -> bool:
    """Wait until something is so; return whether it came to be."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def in_real_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on a loop of the system's clock: one that speaks to another process, which has no other."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


@contextmanager
def reserved_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Have a port for servers that come and go until the end of the block; an empty host is all addresses.

    It stays bound to a socket that does not listen. So the system gives it to nobody else, not even to a client that
    tries in vain to reach the server, which would then be connected with itself. Servers share it by SO_REUSEADDR.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, 0))
        yield int(holder.getsockname()[1])
