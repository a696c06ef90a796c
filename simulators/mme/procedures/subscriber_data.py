"""What the HSS orders: cancel location, insert and delete subscriber data, reset (TS 29.272 5.2.1.2, 5.2.2, 5.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.mme.clients.home import merge_subscription
from simulators.mme.contexts import EmmState, SmsState
from simulators.mme.controls import BARRING, Occasion
from simulators.mme.procedures import enforcement, subscribed_qos
from simulators.mme.procedures.detach import detach_by_network
from simulators.mme.procedures.pdn_connectivity import apn_lost
from simulators.mme.procedures.release import leave, release, settle
from simwarden.wire.diameter import ExperimentalResult, Message, ResultCode
from simwarden.wire.diameter.codes import CancellationType, ClrFlags, DsrFlags, IdrFlags, UserState
from simwarden.wire.diameter.features import supported_features
from simwarden.wire.nas.enums import NetworkDetachType
from simwarden.wire.s1ap import CauseNas

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from simulators.mme.contexts import Subscription, UeContext
    from simulators.mme.core import Core
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Avps

_WITHDRAWN = DsrFlags.COMPLETE_APN_CONFIGURATION_PROFILE_WITHDRAWAL | DsrFlags.PDN_SUBSCRIPTION_CONTEXTS_WITHDRAWAL


def _answer(core: Core, asked: Message, *avps: tuple[str, Any]) -> Message:
    return core.home.node.answer(asked, ResultCode.DIAMETER_SUCCESS, avps)


async def cancel_location(core: Core, asked: Message, _peer: Peer) -> Message:
    """Cancel location: the subscription is withdrawn, or another MME serves the card. Unknown is a success."""
    imsi = asked.get("User-Name")
    for key in [key for key in core.verdicts if key[0] == imsi]:
        del core.verdicts[key]
    for ue in core.contexts(imsi):
        if not ue.emergency:
            _cancel(core, ue, asked)
    return _answer(core, asked)


def _cancel(core: Core, ue: UeContext, asked: Message) -> None:
    ue.located, ue.subscription, ue.sms = False, None, SmsState.NONE
    if ue.state is not EmmState.REGISTERED and ue.connection is not None:
        release(core, ue.connection, CauseNas.DETACH)  # an attempt under way ends; the device tries again
        settle(core, ue)
    elif asked.get("Cancellation-Type") == CancellationType.SUBSCRIPTION_WITHDRAWAL:
        if asked.get("CLR-Flags", 0) & ClrFlags.REATTACH_REQUIRED:
            detach_by_network(core, ue, NetworkDetachType.RE_ATTACH_REQUIRED, None)
        else:
            cause = core.config.causes.subscription_withdrawn
            detach_by_network(core, ue, NetworkDetachType.RE_ATTACH_NOT_REQUIRED, cause)
    else:
        # the device is with another MME, and is told nothing
        core.end_session(ue)
        leave(core, ue)
        core.forget(ue)


async def insert_subscriber_data(core: Core, asked: Message, _peer: Peer) -> Message:
    """Insert subscriber data: what changed takes effect at once; state and place are told if asked for."""
    contexts = core.contexts(asked.get("User-Name"))
    if not contexts:
        return core.home.node.answer(asked, ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN)
    for ue in contexts:
        data, before = asked.get("Subscription-Data", ()), subscribed_qos.of(ue)
        ue.subscription = merge_subscription(ue.subscription, data, core.config.features)
        if asked.get("IDR-Flags", 0) & IdrFlags.REMOVE_SMS_REGISTRATION:
            ue.sms = SmsState.NONE
        if ue.in_service and not ue.emergency:
            _enforce(core, ue, ue.subscription)
            subscribed_qos.follow(core, ue, before)
    features = [supported_features(core.config.features)] if asked.get("Supported-Features") else []
    return _answer(core, asked, *features, *_state_and_place(contexts[0], asked.get("IDR-Flags", 0)))


def _enforce(core: Core, ue: UeContext, subscription: Subscription) -> None:
    """Detach a device, or end its attach, if its subscription does not allow it any more."""
    decision = core.site.decide(BARRING, ue.imsi, on=Occasion.INSERT, barred=subscription.barred)
    if not decision.admitted:
        cause = core.config.causes.barred_while_registered
        detach_by_network(core, ue, NetworkDetachType.RE_ATTACH_NOT_REQUIRED, cause)
    _enforce_apns(core, ue)
    enforcement.enforce(core, ue, Occasion.INSERT)
    enforcement.follow(core, ue)


def _enforce_apns(core: Core, ue: UeContext) -> None:
    """Detach a device that has no APN left which is subscribed: it attaches anew, by one that is, or is refused."""
    if apn_lost(core, ue, Occasion.SUBSCRIPTION) is not None:
        detach_by_network(core, ue, NetworkDetachType.RE_ATTACH_REQUIRED, None)


async def delete_subscriber_data(core: Core, asked: Message, _peer: Peer) -> Message:
    """Delete subscriber data: zone codes, and APNs; a device that uses one of these is detached."""
    contexts, flags = core.contexts(asked.get("User-Name")), DsrFlags(asked.get("DSR-Flags", 0))
    if not contexts:
        return core.home.node.answer(asked, ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN)
    for ue in contexts:
        _delete(core, ue, asked, flags)
    return _answer(core, asked)


def _delete(core: Core, ue: UeContext, asked: Message, flags: DsrFlags) -> None:
    if flags & _WITHDRAWN and ue.subscription is not None:
        points = ue.subscription.apns
        withdrawn = asked.all("Context-Identifier")
        if flags & DsrFlags.COMPLETE_APN_CONFIGURATION_PROFILE_WITHDRAWAL:
            withdrawn = list(points)
        for identifier in withdrawn:
            points.pop(identifier, None)
        _enforce_apns(core, ue)
    if flags & DsrFlags.REGIONAL_SUBSCRIPTION_WITHDRAWAL and ue.subscription is not None:
        ue.subscription.zones = frozenset()
        enforcement.follow(core, ue)


async def reset(core: Core, asked: Message, _peer: Peer) -> Message:
    """Reset: the HSS lost what it knew of these cards; each is reported anew at its device's next contact."""
    prefixes = asked.all("User-Id")
    for imsi, ue in core.by_imsi.items():
        if not prefixes or any(imsi.startswith(prefix) for prefix in prefixes):
            ue.located = False
    return _answer(core, asked)


HANDLERS: Mapping[str, Callable[[Core, Message, Peer], Awaitable[Message]]] = {
    "cancel-location-request": cancel_location,
    "insert-subscriber-data-request": insert_subscriber_data,
    "delete-subscriber-data-request": delete_subscriber_data,
    "reset-request": reset,
}
"""What the HSS asks, by name."""


def _state_and_place(ue: UeContext, flags: int) -> Avps:
    avps: Avps = []
    if flags & IdrFlags.EPS_USER_STATE:
        state = UserState.DETACHED
        if ue.state is EmmState.REGISTERED:
            connected = ue.connection is not None
            state = UserState.CONNECTED_REACHABLE_FOR_PAGING if connected else UserState.ATTACHED_REACHABLE_FOR_PAGING
        avps.append(("EPS-User-State", [("MME-User-State", [("User-State", int(state))])]))
    if flags & (IdrFlags.EPS_LOCATION_INFORMATION | IdrFlags.CURRENT_LOCATION):
        cell = ue.cell.plmn.to_bytes() + ue.cell.cell_identity.to_bytes(4, "big")
        tai = ue.tai.plmn.to_bytes() + ue.tai.tac.to_bytes(2, "big")
        place: Avps = [("E-UTRAN-Cell-Global-Identity", cell), ("Tracking-Area-Identity", tai)]
        avps.append(("EPS-Location-Information", [("MME-Location-Information", place)]))
    return avps
