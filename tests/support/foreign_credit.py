"""What a scripted PCRF and a scripted OCS of another hand have in common: credit control's server (RFC 8506 8.1).

A script is a dictionary (YAML or JSON where it is a file):

    answers:                  the n-th request of its kind in a session takes the n-th answer, later ones the last
      initial, update, terminate:
        - result: 2001        Result-Code; `experimental` is an Experimental-Result-Code of 3GPP's in its place
          silent: true        no answer at all
          after: 0.5          seconds that the answer waits
          avps: {}            more AVPs, by their names
          then:               Re-Auth-Requests that follow, each some seconds after the one before
            - {after: 1, avps: {...}}

What else an answer and a Re-Auth-Request may have is the server's own.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from foreign_diameter import CCR, RAR, VENDOR, Link, Received, Server, Tree

REALM = "epc.mnc001.mcc001.3gppnetwork.org"
#: CC-Request-Type (RFC 8506 8.3)
KINDS = {1: "initial", 2: "update", 3: "terminate", 4: "event"}
UNKNOWN_SESSION, UNABLE_TO_COMPLY, UNSUPPORTED_COMMAND = 5002, 5012, 3001


@dataclass
class Session:
    """A credit-control session: who asked, and by which requests so far."""

    link: Link
    requests: list[Received] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.requests[0].session

    def of_kind(self, kind: str) -> list[Received]:
        """Return its requests of a kind."""
        return [each for each in self.requests if kind_of(each) == kind]


def kind_of(request: Received) -> str:
    """Return `initial`, `update`, `terminate` or `event`."""
    return KINDS[request.one("CC-Request-Type")]


class CreditServer(Server):
    """Answers by a script. `sessions` are those that were begun, by Session-Id; an ended one stays."""

    #: keys of an answer that `content` reads, and those of a Re-Auth-Request
    own: frozenset[str] = frozenset()

    def __init__(self, name: str, application: int, script: Tree | None = None, **where: Any) -> None:
        self.script: Tree = {"answers": {}} | (script or {})
        self.sessions: dict[str, Session] = {}
        #: answers to Re-Auth-Requests
        self.acknowledged: list[Received] = []
        self._check()
        super().__init__(f"{name}.{REALM}", REALM, application, **where)

    def _check(self) -> None:
        allowed = {"result", "experimental", "silent", "after", "avps", "then"} | self.own
        for kind, answers in self.script["answers"].items():
            unknown = {key for each in answers for key in each} - allowed
            if unknown or kind not in KINDS.values():
                raise ValueError(f"the script's answers to {kind} have {sorted(unknown)}")

    def content(self, request: Received | None, step: Tree) -> Tree:
        """Return what an answer to a request has beside the usual AVPs, or a Re-Auth-Request (without a request)."""
        raise NotImplementedError

    def handle(self, link: Link, request: Received) -> None:
        if request.header.command_code != CCR:
            link.answer(request, {**self._head(request), "Result-Code": UNSUPPORTED_COMMAND})
            return
        kind = kind_of(request)
        if kind in ("initial", "event"):
            self.sessions[request.session] = Session(link)
        session = self.sessions.get(request.session)
        if session is None:
            link.answer(request, {**self._head(request), "Result-Code": UNKNOWN_SESSION, **self._which(request)})
            return
        session.requests.append(request)
        answers = self.script["answers"].get(kind) or [{}]
        step = answers[min(len(session.of_kind(kind)), len(answers)) - 1]
        self._soon(step.get("after", 0), self._answer, session, request, step)

    def _soon(self, after: float, what: Any, *arguments: Any) -> None:
        """Do something later, in a thread of its own; what goes wrong is for the test to see."""

        def run() -> None:
            try:
                what(*arguments)
            except Exception as error:  # noqa: BLE001
                self.complaints.append(f"{type(error).__name__} {error}")

        if not after:
            run()
            return
        timer = threading.Timer(after, run)
        timer.daemon = True
        timer.start()

    def _head(self, request: Received) -> Tree:
        return {"Session-Id": request.session, **self.origin(), "Auth-Application-Id": self.application}

    def _which(self, request: Received) -> Tree:
        return {name: request.one(name) for name in ("CC-Request-Type", "CC-Request-Number")}

    def _answer(self, session: Session, request: Received, step: Tree) -> None:
        if not step.get("silent"):
            result: Tree = {"Result-Code": step.get("result", 2001)}
            if "experimental" in step:
                code = {"Vendor-Id": VENDOR, "Experimental-Result-Code": step["experimental"]}
                result = {"Experimental-Result": code}
            own = self.content(request, step)
            tree = {**self._head(request), **result, **self._which(request), **own, **step.get("avps", {})}
            session.link.answer(request, tree)
        self._follow(session, list(step.get("then", ())))

    def _follow(self, session: Session, steps: list[Tree]) -> None:
        if steps:
            first, *rest = steps
            self._soon(first.get("after", 0.05), self._push, session, first, rest)

    def _push(self, session: Session, step: Tree, rest: list[Tree]) -> None:
        self.push(session, step)
        self._follow(session, rest)

    def push(self, session: Session, step: Tree) -> Received:
        """Send a Re-Auth-Request (TS 29.212 5.6.4, RFC 8506 5.5) and return its answer."""
        client = session.requests[0]
        to = {"Destination-Realm": client.one("Origin-Realm"), "Destination-Host": client.one("Origin-Host")}
        head = {"Session-Id": session.id, "Auth-Application-Id": self.application, **self.origin(), **to}
        tree = {**head, "Re-Auth-Request-Type": 0, **self.content(None, step), **step.get("avps", {})}
        answer = session.link.ask(RAR, tree)
        self.acknowledged.append(answer)
        return answer

    def of_kind(self, kind: str) -> list[Received]:
        """Return the requests of a kind so far, of all sessions."""
        return [each for each in self.received if kind_of(each) == kind]

    def only_session(self) -> Session:
        """Return the session, where there is one. Raises ValueError for another number of them."""
        (session,) = self.sessions.values()
        return session


def serve(kind: type[CreditServer], arguments: list[str] | None = None) -> None:
    """Run as a program: say `ready PORT`, then a line of JSON for every request."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    options = parser.parse_args(arguments)
    script = yaml.safe_load(options.script.read_text()) if options.script else {}

    class Told(kind):  # type: ignore[valid-type,misc]
        def handle(self, link: Link, request: Received) -> None:
            sys.stdout.write(json.dumps(request.avps, default=repr) + "\n")
            sys.stdout.flush()
            super().handle(link, request)

    with Told(script=script, port=options.port) as server:
        sys.stdout.write(f"ready {server.port}\n")
        sys.stdout.flush()
        threading.Event().wait()
