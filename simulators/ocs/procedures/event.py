"""Events that are charged at once (RFC 8506 6.1 to 6.4, TS 32.274 5.3.2, immediate event charging): messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.ocs.controls import OF
from simulators.ocs.procedures.units import granted, units_in
from simwarden.wire.diameter import ResultCode, first
from simwarden.wire.diameter.apps.gy import RequestedAction
from simwarden.wire.diameter.credit import GROUPS

if TYPE_CHECKING:
    from simulators.ocs.procedures.rating import Rating
    from simwarden.wire.diameter import Avps, Message

#: Check-Balance-Result (RFC 8506 8.6)
_ENOUGH, _NO_CREDIT = 0, 1
#: the number of units that one event may be about; more is no message
_MOST = 255


def event(rating: Rating, asked: Message) -> Message:
    """Answer an EVENT_REQUEST, by its Requested-Action."""
    groups: list[Avps] = asked.all(GROUPS) or [asked.avps]
    wanted = first(groups[0], "Requested-Service-Unit", ())
    units = units_in(rating.session.service, wanted) or 1
    action = asked.get("Requested-Action")
    if len(groups) == 1 and units <= _MOST:
        if action == RequestedAction.DIRECT_DEBITING:
            return _debit(rating, asked, units)
        if action == RequestedAction.REFUND_ACCOUNT:
            return _refund(rating, asked, units)
        if action == RequestedAction.CHECK_BALANCE:
            return _check(rating, asked, units)
    reason = "this is not rated"
    return rating.core.node.answer(asked, ResultCode.DIAMETER_RATING_FAILED, reason=reason)


def _debit(rating: Rating, asked: Message, units: int) -> Message:
    """Take units of an event: all of them, or none (RFC 8506 6.3)."""
    core, service, imsi = rating.core, rating.session.service, rating.card.imsi
    quota, used = core.quota_of(rating.card, service), core.store.used(imsi, rating.month, service)
    if not core.site.decide(OF[service], imsi, on=rating.on, used=used, quota=quota, asked=units).admitted:
        denied = ResultCode.DIAMETER_END_USER_SERVICE_DENIED
        return core.node.answer(asked, denied if quota is None else ResultCode.DIAMETER_CREDIT_LIMIT_REACHED)
    rating.count(rating.month, units)
    return _given(rating, asked, units)


def _refund(rating: Rating, asked: Message, units: int) -> Message:
    """Give units of an event back to the month in which it was (RFC 8506 6.4), no more than were counted there."""
    core, service = rating.core, rating.session.service
    month = core.month_of(asked.get("Event-Timestamp", core.now()))
    back = min(units, core.store.used(rating.card.imsi, month, service))
    rating.count(month, -back)
    return _given(rating, asked, back)


def _check(rating: Rating, asked: Message, units: int) -> Message:
    """Tell whether units of an event are left, and move none (RFC 8506 6.2)."""
    core, service = rating.core, rating.session.service
    left = (core.quota_of(rating.card, service) or 0) - core.store.used(rating.card.imsi, rating.month, service)
    found = _ENOUGH if units <= left else _NO_CREDIT
    return core.node.answer(asked, ResultCode.DIAMETER_SUCCESS, [("Check-Balance-Result", found)])


def _given(rating: Rating, asked: Message, units: int) -> Message:
    result = ("Result-Code", int(ResultCode.DIAMETER_SUCCESS))
    group = (GROUPS, [granted(rating.session.service, units), result])
    return rating.core.node.answer(asked, ResultCode.DIAMETER_SUCCESS, [group])
