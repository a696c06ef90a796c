"""The process that plays the story of a live page: a line of JSON in, what was asked for; a line out, what came of it.

The network is in a process of its own, as that of `serve` is: whatever becomes of it, the page answers.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import io
import json
import os
import sys
import time
from typing import IO, TYPE_CHECKING, Any

from simwarden.errors import SimwardenError
from simwarden.web.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from simwarden.scenario.session import Session

#: octets of the longest line: the ladder of an action, a capture or a report
_LONGEST = 1 << 28
#: seconds that anything takes at most, a fleet that attaches, say; and after which who begins anew waits no longer
_PATIENCE, _LONG = 1800.0, 10.0
#: events that a report tells of at most: it has them one by one, and a browser has to hold them
_MOST = 200_000


class Engine:
    """The other end: starts the process, asks it one thing after another. `start` begins it, and `close` ends it."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process
        self._turn, self._asked = asyncio.Lock(), 0.0
        #: hears how much is done of what takes long, in events
        self.heard: Callable[[int], Awaitable[None]] | None = None

    async def start(self) -> None:
        """Start the process. It ends when its standard input does: with this process."""
        command, pipe = (sys.executable, "-m", "simwarden.web.engine"), asyncio.subprocess.PIPE
        apart: dict[str, Any] = {"limit": _LONGEST, "start_new_session": True}
        self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, **apart)

    async def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Have something done, and return what came of it; `error` says why it makes no sense."""
        async with self._turn:
            self._asked = time.monotonic()
            assert self._process.stdin is not None  # noqa: S101 - both are pipes
            assert self._process.stdout is not None  # noqa: S101 - both are pipes
            self._process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
            line = b""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    line = await self._answer(self._process.stdout)
            if not line:
                await self.close()
                await self.start()
                return {"error": "the network has come to no end, and begins anew", "ended": True}
            said: dict[str, Any] = json.loads(line)
            return said

    async def _answer(self, told: asyncio.StreamReader) -> bytes:
        """Return the answer; a number before it is how much is done."""
        while (line := await told.readline()) and line.strip().isdigit():
            if self.heard is not None:
                await self.heard(int(line))
        return line

    def interrupt(self) -> None:
        """End the process if what it was asked takes long; another one follows it."""
        if self._turn.locked() and time.monotonic() - self._asked > _LONG:
            self._process.kill()

    async def close(self) -> None:
        """End the process."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


class _Player:
    """What the process does: it plays a stage, until it is asked for another one."""

    def __init__(self, asked: IO[str], told: IO[str]) -> None:
        self._asked, self._told = asked, told
        self._stage, self._over = Stage.read(), False
        self._fleet, self._owing = 0, False

    def play(self) -> None:
        """Play stage after stage, until nobody asks any more."""
        from simwarden.scenario.session import Session  # noqa: PLC0415 - all of simwarden, which the page does not need

        Session(self._stage.scenario(), self._stage.rehearse).play()
        while not self._over:
            result = Session(self._stage.scenario(self._fleet), self._talk, self._hear).play()
            if self._owing and result.failure is not None:
                self._tell({"error": result.failure.summary, "ended": True})

    async def _talk(self, session: Session) -> None:
        """Answer what is asked, until it is asked to begin anew, or nobody is there."""
        while line := self._asked.readline():
            asked, self._owing = json.loads(line), True
            if asked["do"] == "begin":
                self._fleet = int(asked.get("fleet", 0))
                self._tell({})
                return
            try:
                self._tell(await self._done(session, asked) | session.standing())
            except SimwardenError as error:
                self._tell({"error": str(error)})
        self._over = True

    def _hear(self, done: int) -> None:
        self._told.write(f"{done}\n")
        self._told.flush()

    def _tell(self, said: dict[str, Any]) -> None:
        self._told.write(json.dumps(said) + "\n")
        self._told.flush()
        self._owing = False

    async def _done(self, session: Session, asked: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked of a session. Raises SimwardenError for what makes no sense."""
        shown = {"drawn": self._drawn, "story": self._story, "capture": _capture, "report": _report}
        if asked["do"] in shown:
            return shown[asked["do"]](session)
        if asked["do"] == "act":
            return {"told": [await session.act(asked["step"])]}
        if asked["do"] == "use":
            return {"told": await session.use()}
        told = await session.switch(asked["control"], off=asked["off"])
        return {"told": [] if told is None else [told]}

    def _drawn(self, session: Session) -> dict[str, Any]:
        menu = [each for each in self._stage.data["menu"] if session.can(each["step"])]
        return {"nodes": session.drawn(), "menu": menu, "tour": self._stage.data["tour"], "zh": self._stage.data["zh"]}

    def _story(self, session: Session) -> dict[str, Any]:
        return {"story": self._stage.document(session.steps, self._fleet)}


def _capture(session: Session) -> dict[str, Any]:
    from simwarden.scenario.report.files import start_of  # noqa: PLC0415 - few sessions are saved
    from simwarden.trace.pcapng import write_capture  # noqa: PLC0415 - as above

    result, stream = session.story(), io.BytesIO()
    write_capture(result.events, stream, start_of(result))
    return {"octets": base64.b64encode(stream.getvalue()).decode()}


def _report(session: Session) -> dict[str, Any]:
    from simwarden.scenario.report.page import Page  # noqa: PLC0415 - few sessions are saved
    from simwarden.trace.rows import rows_of  # noqa: PLC0415 - as above

    result, page = session.story(), Page()
    if len(result.events) > _MOST:
        raise SimwardenError("too much has happened for a report: begin anew, or save the capture")
    page.add(result, rows_of(result.events), "")
    return {"octets": base64.b64encode(page.render(0.0).encode()).decode()}


def main() -> None:
    """Play what standard input asks for. Nothing else gets to standard output: it carries answers alone."""
    gc.set_threshold(100_000, 50, 100)  # a trace that is kept is no garbage: see cli.main
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        _Player(sys.stdin, told).play()
    except BrokenPipeError:
        os._exit(0)  # who asked is gone, and what is not written yet with it


if __name__ == "__main__":
    main()
