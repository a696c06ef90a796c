"""The process that plays the story of a live page, as the page has it: it asks one thing after another.

The network is in a process of its own, as that of `serve` is: whatever becomes of it, the page answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
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
    """Asks a process one thing after another: one that runs a module, from the first question on until `close`."""

    def __init__(self, module: str = "simwarden.web.stage") -> None:
        self._command = (sys.executable, "-m", module)
        self._process: asyncio.subprocess.Process | None = None
        #: when it was asked what it has not answered yet
        self._asked = math.inf
        #: hears how much is done of what takes long, in events
        self.heard: Callable[[int], Awaitable[object]] = lambda _done: asyncio.sleep(0)

    async def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Have something done, and return what came of it; `error` says why it makes no sense.

        The process ends when its standard input does: with this process. One that `ended` is followed by another.
        """
        if self._process is None:
            pipe = asyncio.subprocess.PIPE
            apart: dict[str, Any] = {"limit": _LONGEST, "start_new_session": True}
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe, **apart)
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101 - both are pipes
        self._asked = time.monotonic()
        self._process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
        while (line := await self._process.stdout.readline()).strip().isdigit():
            await self.heard(int(line))
        self._asked = math.inf
        if not line:
            await self.close()
            return {"error": "what was under way has come to no end", "ended": True}
        said: dict[str, Any] = json.loads(line)
        return said

    def interrupt(self) -> None:
        """End the process if what it was asked takes long."""
        if self._process is not None and time.monotonic() - self._asked > _LONG:
            self._process.kill()

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
