"""What the centre asks HSS and MMEs: routing (S6c, TS 29.338 5.3), and delivery to a device (SGd, 6.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwarden.policy.numbers import international
from simwarden.runtime.diameter import Unreachable
from simwarden.wire.diameter import ExperimentalResult, Message, first
from simwarden.wire.diameter.apps.s6c import DeliveryCause, MwdStatus
from simwarden.wire.diameter.apps.sgd import DeliveryFailureCause

if TYPE_CHECKING:
    from simulators.smsc.card import CardList
    from simulators.smsc.core import Core
    from simwarden.wire.diameter import Avps

#: results that no later attempt changes: the card is unknown, has no SMS, or the centre is not to know
_FINAL = frozenset(
    {
        ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN,
        ExperimentalResult.DIAMETER_ERROR_SERVICE_NOT_SUBSCRIBED,
        ExperimentalResult.DIAMETER_ERROR_OPERATION_NOT_ALLOWED,
    }
)


@dataclass(frozen=True, slots=True)
class Route:
    """Which MME serves a card; else why there is none, and whether that is `final`."""

    imsi: str = ""
    mme: str = ""
    realm: str = ""
    number: str = ""
    waiting: bool = False
    """The HSS has centres on its list, which a delivery ends."""
    reason: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message at a device: delivered, or why not, and what the HSS is to hear of it."""

    delivered: bool = False
    reason: str = ""
    final: bool = False
    cause: DeliveryCause | None = None


def _identity(card: CardList) -> Avps:
    """Return what names a card at the HSS: its number, its IMSI if it has none (any more)."""
    return [("MSISDN", international(card.msisdn))] if card.msisdn else [("User-Name", card.imsi)]


async def send_routing_info(core: Core, card: CardList) -> Route:
    """Ask the HSS who serves a card (5.3.2.1)."""
    avps: Avps = [*_identity(card), ("SC-Address", core.config.number.removeprefix("+"))]
    request = core.node.make("Send-Routing-Info-for-SM-Request", avps, realm=core.peers.realm)
    try:
        answer = await core.node.ask(core.config.hss, request)
    except Unreachable as reason:
        return Route(reason=str(reason))
    if not answer.success:
        result = answer.experimental_result or answer.result_code
        return Route(reason=f"the HSS answered {result}", final=result in _FINAL)
    node = answer.get("Serving-Node", ())
    number, imsi = first(node, "MME-Number-for-MT-SMS", ""), answer.get("User-Name", "")
    held = answer.get("MWD-Status", 0) & (MwdStatus.MNRF_SET | MwdStatus.MCEF_SET)
    mme, realm = first(node, "MME-Name", ""), first(node, "MME-Realm", core.peers.realm)
    if not mme:
        return Route(reason="no MME takes the card's messages")
    return Route(imsi, mme, realm, number, bool(held))


async def mt_forward(core: Core, route: Route, tpdu: bytes) -> Delivery:
    """Have an MME deliver a message (6.2.2.1)."""
    avps: Avps = [
        ("User-Name", route.imsi),
        ("SC-Address", core.config.number.removeprefix("+")),
        ("SM-RP-UI", tpdu),
        ("MME-Number-for-MT-SMS", route.number),
    ]
    request = core.node.make("MT-Forward-Short-Message-Request", avps, realm=route.realm, host=route.mme)
    try:
        answer = await core.node.ask(core.peers.way_to(route.mme), request, timeout=core.config.answer_time)
    except Unreachable as reason:
        return Delivery(reason=str(reason))
    if answer.success:
        return Delivery(delivered=True, cause=DeliveryCause.SUCCESSFUL_TRANSFER)
    return _failed(answer)


def _failed(answer: Message) -> Delivery:
    result = answer.experimental_result or answer.result_code
    if result == ExperimentalResult.DIAMETER_ERROR_ABSENT_USER:
        return Delivery(reason="the device is absent", cause=DeliveryCause.ABSENT_USER)
    failure = answer.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause")
    if failure == DeliveryFailureCause.MEMORY_CAPACITY_EXCEEDED:
        return Delivery(reason="the device has no room", cause=DeliveryCause.UE_MEMORY_CAPACITY_EXCEEDED)
    final = result in (
        ExperimentalResult.DIAMETER_ERROR_SM_DELIVERY_FAILURE,
        ExperimentalResult.DIAMETER_ERROR_SERVICE_BARRED,
    )
    return Delivery(reason=f"the MME answered {result}, failure cause {failure}", final=final)


async def report_delivery_status(core: Core, card: CardList, cause: DeliveryCause) -> None:
    """Tell the HSS how a delivery ended (5.3.2.5), so that it alerts this centre, or no longer."""
    outcome = [("MME-SM-Delivery-Outcome", [("SM-Delivery-Cause", int(cause))])]
    avps: Avps = [
        ("User-Identifier", _identity(card)),
        ("SC-Address", core.config.number.removeprefix("+")),
        ("SM-Delivery-Outcome", outcome),
    ]
    request = core.node.make("Report-SM-Delivery-Status-Request", avps, realm=core.peers.realm)
    try:
        await core.node.ask(core.config.hss, request)
    except Unreachable as reason:
        core.site.note(f"the HSS does not hear of the delivery: {reason}")
