"""AVPs and answers that nodes of credit control and policy control have in common (RFC 8506, TS 32.299, TS 29.212)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simwarden.wire.diameter.apps.credit import SubscriptionIdType
from simwarden.wire.diameter.codec import decode
from simwarden.wire.diameter.codes import ResultCode
from simwarden.wire.diameter.message import first

if TYPE_CHECKING:
    from simwarden.wire.diameter.message import Avps, Message

GROUPS: Final = "Multiple-Services-Credit-Control"


def subscription_ids(imsi: str, number: str) -> Avps:
    """Return the Subscription-Ids of a card: its IMSI, and its international number (digits) unless that is empty."""
    ids = {SubscriptionIdType.END_USER_IMSI: imsi, SubscriptionIdType.END_USER_E164: number}
    return [
        ("Subscription-Id", [("Subscription-Id-Type", int(kind)), ("Subscription-Id-Data", identity)])
        for kind, identity in ids.items()
        if identity
    ]


def is_limit_reached(answer: Message) -> bool:
    """Return True if an answer, or one of its groups, says that the credit limit is reached."""
    codes = (answer.result_code, *(first(group, "Result-Code") for group in answer.all(GROUPS)))
    return ResultCode.DIAMETER_CREDIT_LIMIT_REACHED in codes


def repeat_answer(stored: bytes, request: Message) -> Message:
    """Return a stored answer to a request that came again, with the identifiers of its repetition."""
    answer = decode(stored)
    answer.hop_by_hop, answer.end_to_end = request.hop_by_hop, request.end_to_end
    return answer
