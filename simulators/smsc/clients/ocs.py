"""Credit for messages from an OCS: immediate event charging over Ro (TS 32.274 5.3.2, TS 32.299 6.3.3, RFC 8506 6).

Each message is debited before it is taken, with a session of its own, named by the message: asked again, it is the same
to the OCS. Closed means refused for a time: an OCS that is not there, is late, or says yes and grants nothing takes no
message. What it has counted and the centre did not hear of stays counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.smsc import controls
from simwarden.policy.numbers import international
from simwarden.runtime.diameter import Unreachable
from simwarden.wire.diameter import Message, ResultCode, first
from simwarden.wire.diameter.apps.credit import CcRequestType
from simwarden.wire.diameter.apps.gy import SMS_SC, RequestedAction, ServiceContext, SmMessageType
from simwarden.wire.diameter.credit import GROUPS, is_limit_reached, subscription_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.smsc.clients.credit import Request
    from simulators.smsc.core import Core
    from simwarden.wire.diameter import Avps

_UNITS: Final = "CC-Service-Specific-Units"


class Ro:
    """The OCS as who grants units; see CreditControl."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def reserve(self, request: Request, told: Callable[[ResultCode], None]) -> None:
        """Have units debited."""
        self._core.site.spawn(self._debit(request, told), "credit of a message")

    def check(self, request: Request, told: Callable[[ResultCode], None]) -> None:
        """Say yes: what was debited is spent, whatever the quota has become."""
        del request
        told(ResultCode.DIAMETER_SUCCESS)

    def debit(self, request: Request) -> None:
        """Leave it debited."""

    def refund(self, request: Request) -> None:
        """Have a unit given back, once for a message."""
        self._core.site.spawn(self._give_back(request), "a refund")

    async def _debit(self, request: Request, told: Callable[[ResultCode], None]) -> None:
        try:
            answer = await self._ask(request, RequestedAction.DIRECT_DEBITING)
        except Unreachable as reason:
            self._core.site.note(f"no credit for a message: {reason}", imsi=request.imsi)
            told(ResultCode.DIAMETER_UNABLE_TO_DELIVER)
            return
        result = _result_of(answer, request.units)
        if result is not ResultCode.DIAMETER_SUCCESS:
            self._core.site.note(f"no credit for a message: {answer.result_code}", imsi=request.imsi)
        told(result)

    async def _give_back(self, request: Request) -> None:
        try:
            answer = await self._ask(request, RequestedAction.REFUND_ACCOUNT)
        except Unreachable as reason:
            self._core.site.note(f"a unit stays counted: {reason}", imsi=request.imsi)
            return
        if not answer.success:
            self._core.site.note(f"a unit stays counted: {answer.result_code}", imsi=request.imsi)

    async def _ask(self, request: Request, action: RequestedAction) -> Message:
        core = self._core
        card = core.store.card(request.imsi)
        number = international(card.msisdn) if card is not None and card.msisdn else ""
        avps: Avps = [
            ("Service-Context-Id", str(ServiceContext.SMS)),
            ("CC-Request-Type", int(CcRequestType.EVENT_REQUEST)),
            ("CC-Request-Number", 0),
            ("Event-Timestamp", int(request.when)),
            *subscription_ids(request.imsi, number),
            ("Requested-Action", int(action)),
            (GROUPS, [("Requested-Service-Unit", [(_UNITS, request.units)])]),
            ("Service-Information", [("SMS-Information", _information(request))]),
        ]
        session = self._session(request, action)
        message = core.node.make("Credit-Control-Request", avps, realm=core.peers.realm, point="Ro", session=session)
        return await core.node.ask(core.config.ocs, message)

    def _session(self, request: Request, action: RequestedAction) -> str:
        """Return the Session-Id of what happens to a message (RFC 6733 8.8), by its number, which no other has had."""
        number = f"{request.message >> 32};{request.message & 0xFFFFFFFF}"
        return f"{self._core.node.local.host};{number};{action.name.lower().partition('_')[0]}"


def _information(request: Request) -> Avps:
    """Return what is told of the message (TS 32.299 7.2.211): by whom, and that a card sends it, if one does."""
    sent: Avps = [("SM-Message-Type", int(SmMessageType.SUBMISSION))] if request.on == controls.MO else []
    return [("SMS-Node", SMS_SC), *sent]


def _result_of(answer: Message, units: int) -> ResultCode:
    """Return what an answer means: success is units, all of them; what grants none is a refusal for a time."""
    groups: list[Avps] = answer.all(GROUPS)
    if is_limit_reached(answer):
        return ResultCode.DIAMETER_CREDIT_LIMIT_REACHED
    fine = [each for each in groups if first(each, "Result-Code", 2001) == ResultCode.DIAMETER_SUCCESS]
    given = sum(first(first(each, "Granted-Service-Unit", ()), _UNITS, 0) for each in fine)
    if answer.success and given >= units:
        return ResultCode.DIAMETER_SUCCESS
    return ResultCode.DIAMETER_UNABLE_TO_COMPLY
