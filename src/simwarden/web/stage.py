"""What plays the story of a live page: a line of JSON in, what was asked for; a line out, what came of it.

What a network begins with, what can be done there, and the stories of the tour are one file (`stage.yaml`): its story
is like any other, its menu and its tour are steps as scenarios have.
"""

from __future__ import annotations

import base64
import gc
import io
import json
import os
import sys
import threading
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

from simwarden.errors import SimwardenError
from simwarden.runtime.clock import EPOCH
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import Problems
from simwarden.scenario.report.page import Page, asset
from simwarden.scenario.session import Session, still
from simwarden.scenario.yamlfile import Source, read
from simwarden.trace.pcapng import write_capture
from simwarden.trace.rows import rows_of

if TYPE_CHECKING:
    from simwarden.scenario.document import Scenario
    from simwarden.scenario.result import ScenarioResult

#: events that a report tells of at most: it has them one by one, and a browser has to hold them
_MOST: Final = 200_000
#: octets of the largest capture: in base64 it has to fit into a line, see `Engine`
LARGEST: Final = 200_000_000
#: what each card of a fleet may use: the OCS serves none that it does not know
_QUOTA: Final = {"by": "ocs", "data": "30 MB"}


class Stage:
    """The file of this package as read; all scalars are texts, as in a scenario."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = read(asset("stage.yaml", "simwarden.web"), "stage.yaml", Problems()).data

    def document(self, steps: list[dict[str, Any]], fleet: int = 0) -> dict[str, Any]:
        """Return the stage as a scenario with these steps; with a `fleet` of so many more cards in meters."""
        story = dict(self.data["story"])
        if fleet:
            count = str(fleet)
            story["cards"] = {**story["cards"], "fleet_card": {"profile": "meter", "count": count, "quota": _QUOTA}}
            story["devices"] = {**story["devices"], "fleet": {"count": count}}
        return {**story, "steps": steps}

    def scenario(self, fleet: int = 0) -> Scenario:
        """Load the stage as a scenario in which nothing is done."""
        return Loader().assemble(Source("live.yaml", still(self.document([], fleet))))

    async def rehearse(self, session: Session) -> None:
        """Play a story of the tour unseen: what it needs is loaded then, and the first action is as quick as others."""
        for story in self.data["tour"]:
            if "rehearse" in story:
                for each in story["acts"]:
                    if "do" in each:
                        await session.act(json.dumps(each["do"]))


class _Player:
    """What the process does: it plays a stage, until it is asked for another one."""

    def __init__(self, told: IO[str]) -> None:
        self._asked: SimpleQueue[str] = SimpleQueue()
        self._told, self._owing = told, False
        self._stage = Stage()

    def listen(self, stream: IO[str]) -> None:
        """Take what is asked, and end the process with who asks: nobody waits for what is under way then."""
        for line in stream:
            self._asked.put(line)
        os._exit(0)

    def play(self) -> NoReturn:
        """Play stage after stage: with each `begin` another one begins, and ends the one before."""
        Session(self._stage.scenario(), self._stage.rehearse).play()
        while True:
            self._fleet = self._next()["fleet"]
            result = Session(self._stage.scenario(self._fleet), self._talk, self._hear).play()
            if self._owing and result.failure is not None:
                self._tell({"error": result.failure.summary, "ended": True})

    def _next(self) -> dict[str, Any]:
        asked: dict[str, Any] = json.loads(self._asked.get())
        self._owing = True
        return asked

    async def _talk(self, session: Session) -> None:
        """Say what is drawn, and answer what is asked, until it is asked to begin anew."""
        stage = self._stage.data
        menu = [each for each in stage["menu"] if session.can(each["step"])]
        self._tell({"nodes": session.drawn(), "menu": menu, "tour": stage["tour"], "zh": stage["zh"]})
        while (asked := self._next())["do"] != "begin":
            try:
                self._tell(await self._done(session, asked) | session.standing())
            except SimwardenError as error:
                self._tell({"error": str(error)})
        self._asked.put(json.dumps(asked))
        self._owing = False  # the next session answers it

    def _hear(self, done: int) -> None:
        self._told.write(f"{done}\n")

    def _tell(self, said: dict[str, Any]) -> None:
        self._told.write(json.dumps(said) + "\n")
        self._owing = False

    async def _done(self, session: Session, asked: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked of a session. Raises SimwardenError for what makes no sense."""
        if asked["do"] in _FILES:
            return {"octets": base64.b64encode(_FILES[asked["do"]](session.story())).decode()}
        if asked["do"] == "story":
            return {"story": self._stage.document(session.steps, self._fleet)}
        if asked["do"] == "act":
            return {"told": [await session.act(asked["step"])]}
        if asked["do"] == "use":
            return {"told": await session.use()}
        return {"told": await session.switch(asked["control"], off=asked["off"])}


def _capture(result: ScenarioResult) -> bytes:
    stream = io.BytesIO()
    write_capture(result.events, stream, EPOCH)
    if stream.tell() > LARGEST:
        raise SimwardenError("too much has happened for a capture: begin anew")
    return stream.getvalue()


def _report(result: ScenarioResult) -> bytes:
    if len(result.events) > _MOST:
        raise SimwardenError("too much has happened for a report: begin anew, or save the capture")
    page = Page()
    page.add(result, rows_of(result.events), "")
    return page.render(0.0).encode()


#: what is made of all that was done
_FILES = {"capture": _capture, "report": _report}


def main() -> None:
    """Play what standard input asks for. Nothing else gets to standard output: it carries answers alone."""
    gc.set_threshold(100_000, 50, 100)  # a trace that is kept is no garbage: see cli.main
    told = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")  # a line is an answer
    os.dup2(2, 1)
    player = _Player(told)
    threading.Thread(target=player.listen, args=(sys.stdin,), daemon=True).start()
    try:
        player.play()
    except BrokenPipeError:
        os._exit(0)  # who asked is gone, and what is not written yet with it


if __name__ == "__main__":
    main()
