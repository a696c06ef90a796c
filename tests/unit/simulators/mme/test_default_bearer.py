"""What a default bearer is by request, subscription and gateway: its address, its quality, and why there is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simulators.mme.causes import Rejection
from simulators.mme.config import Gateways
from simulators.mme.contexts import ApnConfiguration, Subscription
from simulators.mme.procedures.default_bearer import _asked, choose_type, quality_of, rates_of, refused
from simwarden.wire import gtpv2
from simwarden.wire.diameter.codes import PdnType as Subscribed
from simwarden.wire.gtpv2 import Ambr, Arp, BearerQos, Cause, CauseIe, Paa
from simwarden.wire.gtpv2 import PdnType as Given
from simwarden.wire.nas.enums import EsmCause, PdnType
from simwarden.wire.nas.message import decode

_ONLY_4, _ONLY_6 = EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED, EsmCause.PDN_TYPE_IPV6_ONLY_ALLOWED
_SINGLE = EsmCause.SINGLE_ADDRESS_BEARERS_ONLY_ALLOWED


@pytest.mark.parametrize(
    ("wanted", "subscribed", "outcome"),
    [
        (PdnType.IPV4, Subscribed.IPV4, (Given.IPV4, None)),
        (PdnType.IPV4, Subscribed.IPV6, _ONLY_6),
        (PdnType.IPV4, Subscribed.IPV4V6, (Given.IPV4, None)),
        (PdnType.IPV4, Subscribed.IPV4_OR_IPV6, (Given.IPV4, None)),
        (PdnType.IPV6, Subscribed.IPV4, _ONLY_4),
        (PdnType.IPV6, Subscribed.IPV6, (Given.IPV6, None)),
        (PdnType.IPV6, Subscribed.IPV4V6, (Given.IPV6, None)),
        (PdnType.IPV6, Subscribed.IPV4_OR_IPV6, (Given.IPV6, None)),
        (PdnType.IPV4V6, Subscribed.IPV4, (Given.IPV4, _ONLY_4)),
        (PdnType.IPV4V6, Subscribed.IPV6, (Given.IPV6, _ONLY_6)),
        (PdnType.IPV4V6, Subscribed.IPV4V6, (Given.IPV4V6, None)),
        (PdnType.IPV4V6, Subscribed.IPV4_OR_IPV6, (Given.IPV4, _SINGLE)),
        (5, Subscribed.IPV4V6, EsmCause.UNKNOWN_PDN_TYPE),
    ],
)
def test_kind_of_address(wanted: int, subscribed: Subscribed, outcome: Any) -> None:
    """TS 24.301 6.2.2, and TS 29.272 7.3.62."""
    chosen = choose_type(wanted, ApnConfiguration("iot", pdn_type=subscribed))
    assert (chosen.esm_cause if isinstance(chosen, Rejection) else chosen) == outcome


@pytest.mark.parametrize(
    ("kind", "addresses", "asked"),
    [
        (Given.IPV4, ("2001:db8::5", "192.0.2.5"), ("192.0.2.5", "")),
        (Given.IPV6, ("192.0.2.5", "2001:db8::5"), ("", "2001:db8::5")),
        (Given.IPV4V6, ("192.0.2.5", "2001:db8::5"), ("192.0.2.5", "2001:db8::5")),
        (Given.IPV4V6, (), ("0.0.0.0", "::")),  # noqa: S104 - any address
    ],
)
def test_a_static_address_is_asked_for(kind: Given, addresses: tuple[str, ...], asked: tuple[str, str]) -> None:
    assert _asked(kind, addresses) == Paa(kind, *asked)


async def test_an_attach_is_decided_once_and_told_its_rate(run: Any) -> None:
    async with run() as network:
        phone = await network.attached()
        assert len(network.decisions("mme.apn")) == 1
        assert "apn_ambr" in decode(phone.got[-1]["esm_message_container"], uplink=False)


@pytest.mark.parametrize(("asked", "reason"), [("no name", "'no name' is no APN"), ("", "no APN is known")])
async def test_why_an_apn_leads_nowhere(run: Any, asked: str, reason: str) -> None:
    async with run() as network:
        network.hss.answers["update-location"] = [("ULA-Flags", 1), ("Subscription-Data", [("Subscriber-Status", 0)])]
        network.phone().attach(**{"access_point_name": asked} if asked else {})
        await network.settle()
        assert network.reject()["reason"] == reason


@pytest.mark.parametrize(("capability", "vulnerability"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_pre_emption_is_enabled_by_0(capability: int, vulnerability: int) -> None:
    """PRE-EMPTION_CAPABILITY_ENABLED and PRE-EMPTION_VULNERABILITY_ENABLED are 0 (TS 29.212 5.3.46, 5.3.47)."""
    point = ApnConfiguration("iot", 7, 3, capability, vulnerability)
    assert quality_of(point) == BearerQos(7, Arp(3, capability == 0, vulnerability == 0))


@pytest.mark.parametrize(
    ("point", "data", "rates"),
    [
        ((64_000, 128_000), (1_000_000, 2_000_000), Ambr(64, 128)),
        ((0, 128_000), (1_000_000, 2_000_000), Ambr(1000, 128)),
        ((64_000, 0), (1_000_000, 2_000_000), Ambr(64, 2000)),
        ((0, 0), None, Ambr(1000, 1000)),
    ],
)
def test_rates_are_those_of_the_apn_else_of_the_subscription(
    point: tuple[int, int], data: tuple[int, int] | None, rates: Ambr
) -> None:
    subscription = Subscription(ambr_ul=data[0], ambr_dl=data[1]) if data is not None else None
    ue: Any = SimpleNamespace(subscription=subscription)
    assert rates_of(ue, ApnConfiguration("iot", ambr_ul=point[0], ambr_dl=point[1])) == rates


@pytest.mark.parametrize(
    ("cause", "kind", "esm", "decided"),
    [
        (Cause.APN_ACCESS_DENIED_NO_SUBSCRIPTION, Given.IPV4, EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED, True),
        (Cause.USER_AUTHENTICATION_FAILED, Given.IPV4, EsmCause.USER_AUTHENTICATION_FAILED, True),
        (Cause.REQUEST_REJECTED, Given.IPV4, EsmCause.REQUEST_REJECTED_BY_SERVING_GW_OR_PDN_GW, False),
        (Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED, Given.IPV4, _ONLY_6, False),
        (Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED, Given.IPV6, _ONLY_4, False),
        (Cause.PREFERRED_PDN_TYPE_NOT_SUPPORTED, Given.IPV4V6, EsmCause.UNKNOWN_PDN_TYPE, False),
    ],
)
@pytest.mark.parametrize(("remote", "by"), [(False, "sgw"), (True, "pgw-sos")])
def test_why_a_gateway_refuses(
    cause: Cause, kind: Given, esm: EsmCause, *, decided: bool, remote: bool, by: str
) -> None:
    core: Any = SimpleNamespace(config=SimpleNamespace(gateways=Gateways(apns={"sos": "pgw-sos"})))
    answer = gtpv2.Message("create-session-response", {"cause": CauseIe(cause, remote)})
    told = refused(core, answer, "sos", kind)
    assert (told.esm_cause, told.clause == "", told.by) == (esm, decided, by)
