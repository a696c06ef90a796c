"""The intruder as an element: when a scenario tells it to, it connects as whoever it says it is; or it is an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.intruder.avps import make_avps
from simulators.intruder.config import (
    SERVED,
    AnswerDialogues,
    AnswerRequests,
    BeginDialogue,
    Forge,
    IntruderConfig,
    SayInDialogue,
)
from simwarden.errors import ManagementError
from simwarden.model.values import one_of
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, Observable, verb
from simwarden.runtime.diameter import DiameterNode, LocalNode, Unreachable
from simwarden.wire.diameter import ResultCode, answer_to, first
from simwarden.wire.diameter.codes import RESULT_NUMBERS
from simwarden.wire.diameter.dictionary import BY_POINT
from simwarden.wire.m3ua.family import SIGTRAN

if TYPE_CHECKING:
    from simulators.intruder.dialogues import Dialogues
    from simwarden.runtime.diameter import Peer
    from simwarden.runtime.diameter.node import Handler
    from simwarden.wire.diameter import Avps, Message

_SAID = ("connected", "released", "asked", "told", "error", "ended", "aborted", "no-answer")
_OUTCOMES = ("no-connection", "no-answer", "accepted", "refused")
#: what an MME is told of a card that it serves, a service centre of one that it waits for, and a PGW of a session
_TOLD = {
    "S6a": ("cancel-location-request", "insert-subscriber-data-request"),
    "S6c": ("alert-service-centre-request",),
    "Gx": ("re-auth-request",),
}


class Intruder(Element[IntruderConfig]):
    """Sends forged Diameter requests, with a name of its own or another node's, and speaks CAP as it is told."""

    declaration = Declaration(
        kind="intruder",
        title="Intruder",
        lane=95,
        config=IntruderConfig,
        standing=False,
        starts_after=("hss", "eir", "mme"),
        listens=("S6a", "S13", "S6c", "SGd", *SERVED, SIGTRAN),
        calls=("S6a", "S13", "S6c", "SGd", *SERVED, SIGTRAN),
        observables=(
            Observable("forgery", "what became of the last forged request", values=one_of(*_OUTCOMES)),
            Observable("result", "Result-Code or Experimental-Result-Code of the last answer", values=RESULT_NUMBERS),
        ),
    )

    async def start(self) -> None:
        """Wait to be told, as an agent to be asked."""
        self._node: DiameterNode | None = None
        self._local = LocalNode(self.config.host, self.config.realm)
        self._heard = 0
        self._dialogues: Dialogues | None = None
        #: what it answers as a server, and of which session it was asked last
        self._answers: list[Avps] = []
        self._session = ""
        if self.config.agent:
            await self._relay()
        elif self.config.serves:
            points: dict[str, dict[str, Handler]] = {
                point: {"credit-control-request": self._answer} for point in self.config.serves
            }
            self._node = DiameterNode(self.site, self._local, points)
            await self._node.listen()
        if self.config.signalling is not None:
            from simulators.intruder.dialogues import Dialogues  # noqa: PLC0415 - checking files needs no codec

            self._dialogues = Dialogues(self.site, self.config.signalling)
            await self._dialogues.start()

    async def _relay(self) -> None:
        """Stand between nodes as an agent: what it forges goes out by the same connections."""
        from simwarden.runtime.diameter.relay import Relay  # noqa: PLC0415 - few are agents

        relay = Relay(self.config.agent)
        points: dict[str, dict[str, Handler]] = {point: {} for point in self.config.agent}
        self._node = relay.node = DiameterNode(self.site, self._local, points, relay=relay.handle)
        await self._node.listen()
        for point, target in self.config.agent.items():
            await self._node.connect(point, target)

    @property
    def dialogues(self) -> Dialogues:
        """Its dialogues of CAP. Raises ManagementError (409) where it is not in the signalling network."""
        if self._dialogues is None:
            raise ManagementError(409, f"{self.site.name} has no signalling: it is not in the signalling network")
        return self._dialogues

    @verb(*_SAID)
    async def begin_dialogue(self, arguments: BeginDialogue) -> str:
        """Begin a dialogue of CAP; the outcome is what the answer orders or how it ends, `told` something else.

        `error` is also that something was rejected.
        """
        return await self.dialogues.begin(arguments.point_code, arguments.phase, arguments.say)

    @verb(*_SAID)
    async def say_in_dialogue(self, arguments: SayInDialogue) -> str:
        """Say something in the last dialogue of CAP, with the outcomes of `begin_dialogue`."""
        return await self.dialogues.go_on(arguments.say)

    @verb("set")
    async def answer_dialogues(self, arguments: AnswerDialogues) -> str:
        """From now on answer who begins a dialogue of CAP, as a gsmSCF does."""
        self.dialogues.answer(arguments.answers, arguments.phases)
        return "set"

    async def stop(self) -> None:
        """Go without a trace."""
        if self._dialogues is not None:
            self._dialogues.stop()
        if self._node is not None:
            self._node.drop()

    async def killed(self) -> None:
        """As `stop`."""
        await self.stop()

    @verb("set")
    async def answer_requests(self, arguments: AnswerRequests) -> str:
        """From now on answer what is asked of it where it stands for a server."""
        self._answers = [make_avps(each) for each in arguments.answers]
        return "set"

    async def _answer(self, message: Message, _peer: Peer) -> Message:
        self._session = message.get("Session-Id")
        avps = self._answers.pop(0) if self._answers else []
        result = first(avps, "Result-Code", ResultCode.DIAMETER_SUCCESS)
        return answer_to(message, result, self._local.origin, [each for each in avps if each[0] != "Result-Code"])

    @verb("accepted", "refused", "no-answer", "no-connection")
    async def forge(self, arguments: Forge) -> str:
        """Send a forged request: `accepted` or `refused` by its answer, `no-answer`, or `no-connection`."""
        name, avps = arguments.message, make_avps(arguments.avps)
        if self._node is None:
            points = dict.fromkeys(("S6a", "S13", arguments.interface))
            heard = {point: dict.fromkeys(_TOLD.get(point, ()), self._hear) for point in points}
            self._node = DiameterNode(self.site, self._local, heard)
        outcome = "no-connection"
        there = self._node.peer_of(arguments.to) is not None  # an agent that was connected to
        if there or await self._node.connect(arguments.interface, arguments.to):
            message = self._make(self._node, name, avps, arguments)
            outcome = await self._send(self._node, arguments, message)
        self.site.observe("forgery", outcome)
        return outcome

    def _make(self, node: DiameterNode, name: str, avps: Avps, arguments: Forge) -> Message:
        more = {"realm": arguments.destination_realm, "session": arguments.session or self._session}
        peer = node.peer_of(arguments.to)
        if peer is not None and self.config.serves:  # a server asks for one node, of a session that this has begun
            more["host"] = peer.host
        try:
            return node.make(name, avps, **more)
        except KeyError:  # several applications have it: that of the reference point is meant
            return node.make(name, avps, point=arguments.interface, **more)

    async def _hear(self, message: Message, _peer: Peer) -> Message | None:
        """Answer what a serving node or a centre is told, save the first so many times."""
        self._heard += 1
        if self._heard <= self.config.unanswered:
            self.site.note(f"{message.name} is left unanswered")
            return None
        return answer_to(message, ResultCode.DIAMETER_SUCCESS, self._local.origin)

    async def _send(self, node: DiameterNode, arguments: Forge, message: Message) -> str:
        claims = {"Origin-Host": arguments.origin_host, "Origin-Realm": arguments.origin_realm}
        message.avps = [(name, claims.get(name) or value) for name, value in message.avps]
        if arguments.application is not None:
            message.application = arguments.application
        try:
            answer = await node.ask(arguments.to, message, application=BY_POINT[arguments.interface])
        except Unreachable as error:
            self.site.note(str(error))
            return "no-answer"
        self.site.observe("result", answer.experimental_result or answer.result_code)
        return "accepted" if answer.success else "refused"
