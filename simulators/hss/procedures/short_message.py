"""Routing of short messages (S6c, TS 29.338 5): which MME, which centres wait for a card, and who may know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.hss import controls
from simulators.hss.controls import Occasion
from simwarden.model.profile import Function
from simwarden.policy.numbers import international
from simwarden.runtime.diameter import Unreachable
from simwarden.runtime.store import StoreError
from simwarden.wire.diameter import ExperimentalResult, Message, ResultCode, first
from simwarden.wire.diameter.apps.s6c import DeliveryCause, MwdStatus
from simwarden.wire.diameter.codes import SmsFeature, SmsRegisterRequest
from simwarden.wire.diameter.features import features_of

if TYPE_CHECKING:
    from simulators.hss.core import Core
    from simulators.hss.subscriber import Subscriber
    from simwarden.policy.decision import Decision
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Avps

#: why a centre waits (TS 23.040 3.2.7, 3.2.8): the device was away, or had no room
_MNRF, _MCEF = "mnrf", "mcef"


# -- registration of an MME for messages


def registered_number(core: Core, subscriber: Subscriber, message: Message) -> str:
    """Return the number of the MME that a ULR registers for a card's messages, empty if none (5.2.1.1.3)."""
    number = message.get("MME-Number-for-MT-SMS", "")
    wanted = message.get("SMS-Register-Request", SmsRegisterRequest.NO_PREFERENCE)
    able = features_of(message, SmsFeature) & SmsFeature.SMS_IN_MME
    if not number or not able or wanted == SmsRegisterRequest.SMS_REGISTRATION_NOT_PREFERRED:
        return ""
    return number if _opened(core, subscriber, Occasion.LOCATION).admitted else ""


def _opened(core: Core, subscriber: Subscriber, occasion: Occasion) -> Decision:
    functions = subscriber.functions.split()
    facts = {"opened": Function.SMS in functions, "voice": Function.VOICE in functions}
    return core.site.decide(controls.SMS, subscriber.imsi, on=occasion, **facts)


# -- what centres ask


async def send_routing_info(core: Core, message: Message, _peer: Peer) -> Message:
    """Answer an SRR (5.3.2.3): to a dedicated centre by whom a card's messages go; to others nothing of the card."""
    held = core.store.numbered(message.get("MSISDN")) if message.get("MSISDN") else None
    held = held or core.store.get(message.get("User-Name", ""))
    found = _asked_about(core, held, message, Occasion.ROUTING)
    if isinstance(found, Message):
        return found
    facts = {"withdrawn": bool(found.suspended), "reason": found.why}
    if not core.site.decide(controls.WITHDRAWN, found.imsi, on=Occasion.ROUTING, **facts).admitted:
        return core.node.answer(message, ExperimentalResult.DIAMETER_ERROR_SERVICE_BARRED)
    if not _opened(core, found, Occasion.ROUTING).admitted:
        return core.node.answer(message, ExperimentalResult.DIAMETER_ERROR_SERVICE_NOT_SUBSCRIBED)
    if not found.sms_number or found.purged:
        _wait(core, found, message, _MNRF)
        return core.node.answer(message, ExperimentalResult.DIAMETER_ERROR_ABSENT_USER)
    node = [("MME-Name", found.mme), ("MME-Realm", found.mme_realm), ("MME-Number-for-MT-SMS", found.sms_number)]
    avps: Avps = [("User-Name", found.imsi), ("Serving-Node", node)]
    status = _status(core, found)
    if status:
        avps.append(("MWD-Status", int(status)))
    return core.node.answer(message, ResultCode.DIAMETER_SUCCESS, avps)


def _status(core: Core, subscriber: Subscriber) -> MwdStatus:
    """Say why centres wait that are not alerted just now (MWD-Status, 5.3.3.8)."""
    held = subscriber.waiting
    if all((subscriber.imsi, host) in core.alerting for host in held.get("centres", ())):
        return MwdStatus(0)
    flags = MwdStatus.MNRF_SET if held.get(_MNRF) else MwdStatus(0)
    return flags | (MwdStatus.MCEF_SET if held.get(_MCEF) else MwdStatus(0))


async def report_delivery_status(core: Core, message: Message, _peer: Peer) -> Message:
    """Answer an RDR (5.3.2.7): a centre whose message did not arrive is alerted when there is hope again."""
    user = message.get("User-Identifier", ())
    held = core.store.numbered(first(user, "MSISDN")) if first(user, "MSISDN") else None
    held = held or core.store.get(first(user, "User-Name", ""))
    found = _asked_about(core, held, message, Occasion.REPORT)
    if isinstance(found, Message):
        return found
    outcome = message.find("SM-Delivery-Outcome", "MME-SM-Delivery-Outcome", "SM-Delivery-Cause")
    if outcome == DeliveryCause.ABSENT_USER:
        _wait(core, found, message, _MNRF)
    elif outcome == DeliveryCause.UE_MEMORY_CAPACITY_EXCEEDED:
        _wait(core, found, message, _MCEF)
    elif outcome == DeliveryCause.SUCCESSFUL_TRANSFER:
        core.site.spawn(alert(core, found), "alert service centres")
    return core.node.answer(message, ResultCode.DIAMETER_SUCCESS)


def _asked_about(core: Core, held: Subscriber | None, message: Message, occasion: Occasion) -> Subscriber | Message:
    """Return the card that a dedicated centre asks about, or the answer that there is none or that it is refused.

    What no dedicated centre asks is refused in the same way for a card that is here and for none. An absent user is
    never the answer: the asker would wait for an alert.
    """
    imsi = held.imsi if held is not None else ""
    # an ISDN number in international form, whose digits alone are there (TS 29.338 5.3.3.2 takes TS 23.003)
    address = f"+{message.get('SC-Address', '')}"
    facts = {"address": address, "centres": core.centres, "host": message.get("Origin-Host")}
    if not core.site.decide(controls.ROUTE, imsi, on=occasion, **facts).admitted:
        return core.node.answer(message, ExperimentalResult.DIAMETER_ERROR_OPERATION_NOT_ALLOWED)
    known = core.site.decide(controls.SUBSCRIBER, imsi, on=occasion, known=held is not None)
    if held is not None and known.admitted:
        return held
    return core.node.answer(message, ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN)


# -- who waits for a card


def _wait(core: Core, subscriber: Subscriber, message: Message, why: str) -> None:
    """Put a centre on the list of those that wait (message waiting data)."""
    held = subscriber.waiting
    centres = held.get("centres", {}) | {
        message.get("Origin-Host"): [message.get("Origin-Realm"), message.get("SC-Address")]
    }
    core.store.change(subscriber, waiting={**held, why: True, "centres": centres})
    core.alerting.discard((subscriber.imsi, message.get("Origin-Host")))


async def alert(core: Core, subscriber: Subscriber) -> None:
    """Alert the centres that wait for a card (ALR, 5.3.2.5); one stays on the list until it has answered.

    What it says while it is alerted, that the card is away again, stands.
    """
    waiting: dict[str, list[str]] = subscriber.waiting.get("centres", {})
    due = {host: way for host, way in waiting.items() if (subscriber.imsi, host) not in core.alerting}
    core.alerting |= {(subscriber.imsi, host) for host in due}
    for host, (realm, address) in due.items():
        try:
            await core.ask(host, _alert(core, subscriber, host, realm, address))
            if (subscriber.imsi, host) in core.alerting:
                _waits_no_more(core, subscriber, host)
        except (Unreachable, StoreError) as reason:
            core.site.note(f"{host} stays on the list of those that wait: {reason}", imsi=subscriber.imsi)
        finally:
            core.alerting.discard((subscriber.imsi, host))


def _alert(core: Core, subscriber: Subscriber, host: str, realm: str, address: str) -> Message:
    msisdn, imsi = subscriber.msisdn, subscriber.imsi
    user = [("MSISDN", international(msisdn))] if msisdn else [("User-Name", imsi)]
    avps: Avps = [("SC-Address", address), ("User-Identifier", user)]
    return core.node.make("Alert-Service-Centre-Request", avps, realm=realm, host=host, point="S6c")


def _waits_no_more(core: Core, subscriber: Subscriber, host: str) -> None:
    held = subscriber.waiting
    rest = {name: way for name, way in held.get("centres", {}).items() if name != host}
    core.store.change(subscriber, waiting={**held, "centres": rest} if rest else {})
