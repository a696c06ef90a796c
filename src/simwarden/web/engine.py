"""The process that plays the story of a live page, as the page has it: it asks one thing after another.

The network is in a process of its own, as that of `serve` is: whatever becomes of it, the page answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: octets of the longest line: the ladder of an action, a capture or a report
_LONGEST = 1 << 28
#: seconds after which who begins anew waits no longer for what was asked before
_LONG = 10.0


class Engine:
    """Asks the process one thing after another. `start` begins it, and `close` ends it."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process
        self._turn, self._asked = asyncio.Lock(), 0.0
        #: hears how much is done of what takes long, in events
        self.heard: Callable[[int], Awaitable[object]] = lambda _done: asyncio.sleep(0)

    async def start(self) -> None:
        """Start the process. It ends when its standard input does: with this process."""
        command, pipe = (sys.executable, "-m", "simwarden.web.stage"), asyncio.subprocess.PIPE
        apart: dict[str, Any] = {"limit": _LONGEST, "start_new_session": True}
        self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, **apart)

    async def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Have something done, and return what came of it; `error` says why it makes no sense."""
        async with self._turn:
            self._asked = time.monotonic()
            assert self._process.stdin is not None  # noqa: S101 - both are pipes
            assert self._process.stdout is not None  # noqa: S101 - both are pipes
            self._process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
            while (line := await self._process.stdout.readline()).strip().isdigit():
                await self.heard(int(line))
            if not line:
                await self.close()
                await self.start()
                return {"error": "the network has come to no end, and begins anew", "ended": True}
            said: dict[str, Any] = json.loads(line)
            return said

    def interrupt(self) -> None:
        """End the process if what it was asked takes long; another one follows it."""
        if self._turn.locked() and time.monotonic() - self._asked > _LONG:
            self._process.kill()

    async def close(self) -> None:
        """End the process."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
