"""Gateways that say what fits GTP and nothing else: no message to device or eNB can carry it (TS 36.413, TS 24.301)."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.testing.diameter import IMSI
from simwarden.trace.events import Frame
from simwarden.wire import gtpv2
from simwarden.wire.diameter.codes import PdnType as SubscribedType
from simwarden.wire.gtpv2 import Ambr, Arp, BearerQos, Cause, CauseIe, Paa, PdnType
from simwarden.wire.nas.enums import EsmCause, MessageType
from simwarden.wire.nas.message import decode

from .test_gateways import asked, at, esm_cause, wanting

MOST = (1 << 40) - 1
ARP = Arp(1, may_preempt=True, preemptable=False)


def saying(network: Any, **changed: Any) -> None:
    """Let the SGW's answer to a request for a session say something else."""
    node = network.host.elements["sgw"].core.node
    create = node._handlers["create-session-request"]

    async def other(message: gtpv2.Message, peer: Any) -> Any:
        answer = await create(message, peer)
        context = dict(answer["bearer_contexts_created"][0])
        for name, value in changed.items():
            if name in {"ebi", "bearer_qos", "s1_u_sgw"}:
                context[name] = value
            else:
                answer.ies[name] = value
        answer.ies["bearer_contexts_created"] = (context,)
        return answer

    node._handlers["create-session-request"] = other


@pytest.mark.parametrize(
    "changed",
    [
        {"apn_ambr": Ambr((1 << 32) - 1, (1 << 32) - 1)},
        {"apn_ambr": Ambr(0, 0)},
        {"bearer_qos": BearerQos(255, ARP, MOST, MOST, MOST, MOST)},
        {"bearer_qos": BearerQos(0, ARP)},
        {"pco": None},
        {"pco": b"\x80" + bytes.fromhex("000d04c0000201") * 36},
        {"pco": b"\x80" + bytes.fromhex("000d04c0000201") * 300},
        {"paa": Paa(PdnType.NON_IP)},
        {"paa": Paa(PdnType.ETHERNET)},
        {"paa": Paa(PdnType.IPV6, "", "2001:db8:9::1")},
        {"paa": Paa(PdnType.IPV4V6, "10.64.0.9", "2001:db8:9::1")},
        {"ebi": 0},
        {"ebi": 9},
        {"cause": CauseIe(Cause.REQUEST_ACCEPTED_PARTIALLY)},
    ],
    ids=lambda each: str(next(iter(each))),
)
async def test_what_cannot_be_told_is_no_fault(run: Any, changed: dict[str, Any]) -> None:
    async with run() as network:
        saying(network, **changed)
        phone = network.phone()
        phone.attach()
        await network.settle()
        await network.sleep(60)
        served = network.session() is not None
        assert served is (at(network, "sgw") is not None)
        assert phone.got


@pytest.mark.parametrize("lacks", ["sender_f_teid", "s1_u_sgw", "paa"])
async def test_an_answer_without_an_end_or_the_address_is_of_no_use(run: Any, lacks: str) -> None:
    async with run() as network:
        saying(network, **{lacks: None})
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert esm_cause(phone) == EsmCause.NETWORK_FAILURE
        assert network.session() is None
        assert network.mme.core.gateways.by_teid == {}
        assert (at(network, "sgw") is None) is (lacks != "sender_f_teid")  # else nobody could be asked to end it


async def test_an_answer_without_an_end_for_a_device_that_has_gone(run: Any) -> None:
    async with run() as network:
        saying(network, sender_f_teid=None)
        pgw = network.host.elements["pgw"].core.node
        create = pgw._handlers["create-session-request"]

        async def late(message: gtpv2.Message, peer: Any) -> Any:
            await network.host.clock.sleep(2)
            return await create(message, peer)

        pgw._handlers["create-session-request"] = late
        phone = network.phone()
        phone.attach()
        await network.settle()
        phone.idle()
        await network.sleep(5)
        assert asked(network) == ["create-session"]
        assert network.mme.core.gateways.by_teid == {}


@pytest.mark.parametrize(("octets", "told"), [(251, True), (252, False)])
async def test_options_are_told_as_long_as_a_message_has_room(run: Any, octets: int, *, told: bool) -> None:
    async with run() as network:
        options = bytes.fromhex("80 ff00") + bytes((octets - 4,)) + bytes(octets - 4)
        saying(network, pco=options)
        phone = await network.attached()
        accept = next(each for each in phone.got if each.type is MessageType.ATTACH_ACCEPT)
        request = decode(accept["esm_message_container"], uplink=False)
        assert request.get("protocol_configuration_options") == (options if told else None)


@pytest.mark.parametrize(
    ("cause", "paa", "told"),
    [
        (Cause.REQUEST_ACCEPTED, Paa(PdnType.IPV4V6, "10.64.0.9", "2001:db8:9::1"), None),
        (
            Cause.NEW_PDN_TYPE_DUE_TO_SINGLE_ADDRESS_BEARER_ONLY,
            Paa(PdnType.IPV4, "10.64.0.9"),
            EsmCause.SINGLE_ADDRESS_BEARERS_ONLY_ALLOWED,
        ),
        (
            Cause.NEW_PDN_TYPE_DUE_TO_NETWORK_PREFERENCE,
            Paa(PdnType.IPV4, "10.64.0.9"),
            EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED,
        ),
        (
            Cause.NEW_PDN_TYPE_DUE_TO_NETWORK_PREFERENCE,
            Paa(PdnType.IPV6, "", "2001:db8:9::1"),
            EsmCause.PDN_TYPE_IPV6_ONLY_ALLOWED,
        ),
    ],
)
async def test_why_a_device_has_less_than_both_addresses(run: Any, cause: Cause, paa: Paa, told: Any) -> None:
    async with run() as network:
        saying(network, cause=CauseIe(cause), paa=paa)
        phone = wanting(network, SubscribedType.IPV4V6, wanted=3)
        await network.settle()
        accept = next(each for each in phone.got if each.type is MessageType.ATTACH_ACCEPT)
        assert decode(accept["esm_message_container"], uplink=False).get("esm_cause") == told


async def test_a_faulty_request_is_answered_to_the_sgw_that_the_device_has(run: Any) -> None:
    async with run() as network:
        await network.attached()
        ue, gateways = network.mme.core.by_imsi[IMSI], network.mme.core.gateways
        sgw = network.host.elements["sgw"].core.node

        async def told() -> gtpv2.Message:
            faulty = bytes.fromhex("48610008") + ue.s11_teid.to_bytes(4) + bytes.fromhex("000001 00")
            sgw.send(faulty, (gateways.node.address, 2123))
            await network.settle()
            return gtpv2.decode([each.data for each in network.of(Frame) if each.source == "mme"][-1])

        answer = await told()
        assert (answer.cause, answer.teid) == (Cause.MANDATORY_IE_MISSING, ue.sgw.teid)
        assert ue.sgw.teid != 0
        ue.sgw, had = None, ue.sgw  # as it is until the SGW has answered
        assert (await told()).teid == 0
        ue.sgw = had


@pytest.mark.parametrize(
    "context",
    [
        {"bearer_qos": BearerQos(1, ARP, MOST, MOST, MOST, MOST)},
        {"bearer_qos": BearerQos(255, ARP, 0, 0, MOST, 0)},
        {"bearer_tft": bytes.fromhex("2130000230 11") + bytes(249)},
        {"bearer_tft": bytes.fromhex("2130000230 11") + bytes(1000)},
        {"bearer_tft": b"\0"},
    ],
    ids=lambda each: str(next(iter(each))),
)
async def test_a_bearer_that_cannot_be_told_does_not_stand(run: Any, context: dict[str, Any]) -> None:
    async with run() as network:
        await network.attached()
        core = network.host.elements["sgw"].core
        device = core.devices[IMSI]
        end = core.user_end(gtpv2.InterfaceType.S1_U_SGW_GTP_U, 0x99)
        asked = {"ebi": 0, "bearer_tft": bytes.fromhex("2130000230 11"), "bearer_qos": BearerQos(7, ARP)}
        order = {"linked_ebi": 5, "bearer_contexts": ({**asked, "s1_u_sgw": end, **context},)}
        told = await core.node.ask(
            gtpv2.Message("create-bearer-request", order, device.mme.teid), device.mme.address, "S11"
        )
        assert told.cause in Cause
        assert network.session() is not None


@pytest.mark.parametrize("number", ["1", "86144000000000123"])
async def test_a_number_that_is_none_is_not_told(run: Any, number: str) -> None:
    async with run() as network:
        data = network.hss.update_location(None)
        told = next(value for name, value in data if name == "Subscription-Data")
        told[:] = [(name, number if name == "MSISDN" else value) for name, value in told]
        network.hss.answers["update-location"] = data
        phone = network.phone()
        phone.attach()
        await network.settle()
        assert esm_cause(phone) == EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED
        assert network.session() is None
