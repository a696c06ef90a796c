"""What the SMSC has already is taken back where a code, a list or an owner no longer lets it go to a card.

cancel_sm (SMPP 3.4 4.9) names the code and the card, and so ends all that waits there from one to the other; it is kept
until the SMSC has answered, over a restart too.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.sms_gateway.controls import FORWARD
from simulators.sms_gateway.messages import Kind, Message
from simulators.sms_gateway.procedures.judging import NO_CARD, judge_route
from simwarden.wire.smpp import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Card
    from simwarden.policy.numbers import Party

#: how often it is asked again where one is under way to its device, or the SMSC cannot for now
_TRIES: Final = 10
#: answers that say that nothing waits there, or that this SMSC takes nothing back
_OVER: Final = frozenset({Status.ESME_ROK, Status.ESME_RINVMSGID, Status.ESME_RINVCMDID})


def review_pairs(core: Core, card: Card, codes: Mapping[Party, str]) -> None:
    """Judge anew what a card may have waiting at the SMSC from codes, each of a customer, and have it ended there."""
    if not core.config.smsc or not card.msisdn:
        return
    for code in sorted(codes, key=str):
        if judge_route(core, codes[code], code, core.cards.get(card.imsi, NO_CARD), FORWARD):
            revoke(core, str(code), card.imsi, card.msisdn)


def revoke(core: Core, code: str, imsi: str, number: str) -> None:
    """Have the SMSC end what waits there from a code to a card."""
    if (code, number) in core.unsent:
        return
    core.unsent.add((code, number))
    now = core.now()
    asked = Message(core.next_id(), Kind.CANCEL, "", code, imsi, number, now, now + core.config.validity, b"")
    core.batch.add(asked, partial(take_up, core, asked))


def take_up(core: Core, asked: Message) -> None:
    """Have something taken back that is kept."""
    core.cancels.append(asked)
    core.wake()


def next_to_revoke(core: Core) -> Message | None:
    """Return what the SMSC is to take back next."""
    if not core.cancels:
        return None
    asked = core.cancels.popleft()
    core.unsent.discard((asked.code, asked.number))
    return asked


def answered(core: Core, asked: Message, status: int | None) -> None:
    """Take note of the answer to a cancel_sm; None: there was none."""
    if status in _OVER or asked.repeated >= _TRIES:
        core.site.note(f"the SMSC answered {status} when {asked.code} was taken back", imsi=asked.card)
        core.forget(asked)
        return
    asked.repeated += status is not None  # who is not there is asked as long as it takes
    core.site.clock.call_later(core.config.retry, partial(take_up, core, asked))
