"""Subscriber data handling and fault recovery (TS 29.272 5.2.2 and 5.2.4): IDR, DSR and RSR, and Subscription-Data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.hss.config import Apn, HssSubscription
from simwarden.model.profile import Function
from simwarden.policy.numbers import international
from simwarden.runtime.diameter import Unreachable
from simwarden.wire.diameter.codes import (
    AllApnConfigurations,
    DsrFlags,
    Feature,
    NetworkAccessMode,
    OdbFlags,
    PdnType,
    SubscriberStatus,
)
from simwarden.wire.diameter.features import supported_features

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulators.hss.config import HssConfig
    from simulators.hss.core import Core
    from simulators.hss.subscriber import Notice, Subscriber
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Avps, Message

_PDN_TYPES = {"ipv4": PdnType.IPV4, "ipv6": PdnType.IPV6, "ipv4v6": PdnType.IPV4V6}


def apns_of(config: HssConfig, subscriber: Subscriber) -> tuple[Apn, ...]:
    """Return a card's APNs; the first is the default one."""
    return HssSubscription.model_validate(subscriber.subscription).apns or config.apns


def context_identifiers(held: Mapping[str, int], *lists: Sequence[Apn]) -> dict[str, int]:
    """Return the Context-Identifiers `held`, and new ones for APNs that have none (TS 29.272 7.3.27)."""
    found = dict(held)
    for name in (apn.name.lower() for apns in lists for apn in apns):
        found.setdefault(name, max(found.values(), default=0) + 1)
    return found


def zones_of(config: HssConfig, subscriber: Subscriber) -> tuple[str, ...]:
    """Return a card's regional subscription zone codes."""
    return HssSubscription.model_validate(subscriber.subscription).zones or config.zones


def barring(subscriber: Subscriber) -> Avps:
    """Make the AVPs that say whether a card is barred (7.3.29, 7.3.30)."""
    barred = subscriber.suspended == "barring"
    status = SubscriberStatus.OPERATOR_DETERMINED_BARRING if barred else SubscriberStatus.SERVICE_GRANTED
    odb = OdbFlags.ALL_PACKET_ORIENTED_SERVICES if barred else OdbFlags(0)
    return [("Subscriber-Status", int(status)), ("Operator-Determined-Barring", int(odb))]


#: what this HSS can do, and wants of an MME as far as a card needs it
FEATURES = Feature.ODB_ALL_APN | Feature.REG_SUB


def needed_features(config: HssConfig, subscriber: Subscriber) -> Feature:
    """Return what an MME must support to enforce a card's subscription."""
    barred = Feature.ODB_ALL_APN if subscriber.suspended == "barring" else Feature(0)
    return barred | (Feature.REG_SUB if zones_of(config, subscriber) else Feature(0))


def subscription_data(config: HssConfig, subscriber: Subscriber) -> Avps:
    """Make Subscription-Data (7.3.2) of a card."""
    avps: Avps = barring(subscriber) if subscriber.suspended else [("Subscriber-Status", 0)]
    if subscriber.msisdn:
        avps.append(("MSISDN", international(subscriber.msisdn)))
    circuit = not {Function.VOICE, Function.SMS}.isdisjoint(subscriber.functions.split())
    mode = NetworkAccessMode.PACKET_AND_CIRCUIT if circuit else NetworkAccessMode.ONLY_PACKET
    avps.append(("Network-Access-Mode", int(mode)))
    avps += zone_codes(zones_of(config, subscriber))
    avps += apn_profile(subscriber, apns_of(config, subscriber))
    if config.periodic_update:
        avps.append(("Subscribed-Periodic-RAU-TAU-Timer", config.periodic_update))
    return avps


def zone_codes(zones: Sequence[str]) -> Avps:
    """Make Regional-Subscription-Zone-Code AVPs (7.3.52)."""
    return [("Regional-Subscription-Zone-Code", bytes.fromhex(zone)) for zone in zones]


def apn_profile(subscriber: Subscriber, apns: Sequence[Apn]) -> Avps:
    """Make the AMBR over all APNs and the whole APN-Configuration-Profile (7.3.41, 7.3.34), the first the default."""
    numbers = context_identifiers(subscriber.contexts, apns)
    profile: Avps = [
        ("Context-Identifier", numbers[apns[0].name.lower()]),
        (
            "All-APN-Configurations-Included-Indicator",
            int(AllApnConfigurations.ALL_APN_CONFIGURATIONS_INCLUDED),
        ),
    ]
    profile += [("APN-Configuration", _apn_configuration(numbers[apn.name.lower()], apn)) for apn in apns]
    total = _ambr(sum(apn.uplink for apn in apns), sum(apn.downlink for apn in apns))
    return [total, ("APN-Configuration-Profile", profile)]


def _apn_configuration(number: int, apn: Apn) -> Avps:
    avps: Avps = [("Context-Identifier", number)]
    if apn.address:
        avps.append(("Served-Party-IP-Address", apn.address))
    priority: Avps = [
        ("Priority-Level", apn.priority),
        ("Pre-emption-Capability", 1),
        ("Pre-emption-Vulnerability", 0),
    ]
    qos: Avps = [("QoS-Class-Identifier", apn.qci), ("Allocation-Retention-Priority", priority)]
    avps += [
        ("PDN-Type", int(_PDN_TYPES[apn.pdn_type])),
        ("Service-Selection", apn.name),
        ("EPS-Subscribed-QoS-Profile", qos),
        ("VPLMN-Dynamic-Address-Allowed", 0),
        _ambr(apn.uplink, apn.downlink),
    ]
    return avps


def _ambr(uplink: int, downlink: int) -> tuple[str, Any]:
    """Make an AMBR (7.3.41); what 32 bits cannot say is cut to their greatest value."""
    most = 0xFFFFFFFF
    return "AMBR", [
        ("Max-Requested-Bandwidth-UL", min(uplink, most)),
        ("Max-Requested-Bandwidth-DL", min(downlink, most)),
    ]


def heard_before(core: Core, subscriber: Subscriber) -> HssSubscription | None:
    """Return what the serving MME knows that a card may use, None where it has still to be told something of it."""
    if core.store.any_pending(subscriber.imsi, subscriber.mme):
        return None
    return HssSubscription.model_validate(subscriber.subscription)


# -- procedures towards the MME ----------------------------------------------------------------------------------------


async def _tell(core: Core, subscriber: Subscriber, name: str, avps: Avps) -> Message | None:
    """Send a request about a card to the MME that serves it; None if none does or it cannot be reached."""
    if not subscriber.mme or subscriber.purged:
        return None
    about = [("User-Name", subscriber.imsi), *avps]
    request = core.node.make(name, about, realm=subscriber.mme_realm, host=subscriber.mme)
    try:
        return await core.ask(subscriber.mme, request)
    except Unreachable as reason:
        core.site.note(f"{subscriber.mme} was not told by {name.lower()}: {reason}", imsi=subscriber.imsi)
        return None


async def insert_subscriber_data(core: Core, subscriber: Subscriber, data: Avps, *, flags: int = 0) -> Message | None:
    """Tell the serving MME changed data of a card (5.2.2.1), or ask it for facts by IDR-Flags; None if not reached."""
    avps: Avps = [supported_features(FEATURES), ("Subscription-Data", data)]
    if flags:
        avps.append(("IDR-Flags", flags))
    return await _tell(core, subscriber, "Insert-Subscriber-Data-Request", avps)


async def tell_barring(core: Core, subscriber: Subscriber, notice: Notice) -> Message | None:
    """Tell the serving MME, for which that is pending, whether a card is barred; return what it answered."""
    answer = await insert_subscriber_data(core, subscriber, barring(subscriber))
    settle(core, notice, told=answer is not None)
    return answer


def settle(core: Core, notice: Notice, *, told: bool) -> None:
    """Keep that an MME was told; if it was not it is told again, as far as it serves the card then."""
    if told:
        core.store.told(notice)
    else:
        core.tell_again(notice.host)


async def change_subscription(
    core: Core, subscriber: Subscriber, before: HssSubscription | None, notice: Notice
) -> Message | None:
    """Tell the serving MME the difference between what a card might use before and what it may use now.

    It is told all where it has not heard of what was before (None).

    Returns the last answer, None if the MME did not answer. APNs go as a whole profile, which takes the place of all
    that the MME holds (5.2.2.1.2): no DSR names those gone.
    """
    if before is None:
        return await tell_subscription(core, subscriber, notice)
    config = core.config
    apns, zones = apns_of(config, subscriber), zones_of(config, subscriber)
    old_apns, old_zones = before.apns or config.apns, before.zones or config.zones
    heard: list[Message | None] = []
    if old_zones and not zones:
        heard.append(await _withdraw_zones(core, subscriber))
    data: Avps = zone_codes(zones) if zones != old_zones else []
    if apns != old_apns:
        data += apn_profile(subscriber, apns)
    if data:
        heard.append(await insert_subscriber_data(core, subscriber, data))
    return _last(core, notice, heard)


def _last(core: Core, notice: Notice, heard: list[Message | None]) -> Message | None:
    settle(core, notice, told=None not in heard)
    return heard[-1] if heard else None


async def tell_subscription(core: Core, subscriber: Subscriber, notice: Notice) -> Message | None:
    """Tell the serving MME all that a card may use, as it has not heard of a change; return what it answered."""
    heard: list[Message | None] = []
    if not zones_of(core.config, subscriber):
        heard.append(await _withdraw_zones(core, subscriber))
    heard.append(await insert_subscriber_data(core, subscriber, subscription_data(core.config, subscriber)))
    return _last(core, notice, heard)


async def _withdraw_zones(core: Core, subscriber: Subscriber) -> Message | None:
    """Tell the serving MME that a card has no zone codes any more (5.2.2.2): an IDR cannot say so."""
    flags = DsrFlags.REGIONAL_SUBSCRIPTION_WITHDRAWAL
    return await _tell(core, subscriber, "Delete-Subscriber-Data-Request", [("DSR-Flags", int(flags))])


async def reset(core: Core, peer: Peer) -> None:
    """Tell an MME that this HSS was restarted (5.2.4.1), so that it has its registrations confirmed."""
    try:
        await core.node.ask(peer.host, core.node.make("Reset-Request", [], realm=peer.realm, host=peer.host))
    except Unreachable as reason:
        core.site.note(f"{peer.host} was not told of the restart: {reason}")
        core.to_reset.add(peer.host)
