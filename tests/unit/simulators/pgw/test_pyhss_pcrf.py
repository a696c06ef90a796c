"""PyHSS 2.0.0 as PCRF behind our PGW: the messages of a real exchange; the program itself does not run here."""

from __future__ import annotations

import pytest
from pyhss_pcrf import DEDICATED, LISTED, NO_RATES, OTHER, RECORDED, UPLINK, PyHssNet
from scripted_pcrf import ENB_BEARER_TEID, failed

from simwarden.wire import ip
from simwarden.wire.diameter import check_request, decode
from simwarden.wire.diameter.dictionary import BY_POINT
from simwarden.wire.gtpv2 import Ambr, Cause


@pytest.mark.parametrize("name", RECORDED)
def test_its_messages_are_in_the_grammar(name: str) -> None:
    message = decode(RECORDED[name])
    assert message.unsupported == []
    if message.request:
        check_request(message, [BY_POINT["Gx"]])


async def test_its_session_has_its_rates_and_its_rule() -> None:
    async with PyHssNet() as net:
        made = await net.session()
        assert made["apn_ambr"] == Ambr(64, 64)
        assert await net.reaches(made, LISTED, OTHER) == [True, False]
        (session,) = net.pgw.core.sessions.values()
        assert (session.bearers, list(session.rates)) == ({}, ["listed"])
        await net.mme.delete(made["sender_f_teid"].teid)
        await net.settle()
        assert net.pcrf.kinds() == [1, 3]


async def test_its_rule_of_another_qci_has_a_dedicated_bearer() -> None:
    async with PyHssNet() as net:
        made = await net.session()
        assert (await net.pcrf.send("rar-dedicated")).result_code == 2001
        await net.settle()
        (session,) = net.pgw.core.sessions.values()
        qos = session.bearers["dedicated"].qos
        assert (qos.qci, qos.gbr_uplink, qos.mbr_downlink) == (1, 128, 128)
        packet = ip.encode(ip.encode_udp(ip.Udp(5683, 40000, b"hello"), DEDICATED, made["paa"].ipv4))
        net.enb.received()
        net.net.send(packet)
        await net.settle()
        assert net.enb.received() == [(ENB_BEARER_TEID, packet)]


async def test_its_rule_in_the_uplink_form_is_rejected_and_opens_nothing() -> None:
    async with PyHssNet() as net:
        made = await net.session()
        answer = await net.pcrf.send("rar-uplink")
        assert (answer.find("Experimental-Result", "Experimental-Result-Code"), failed(answer)) == (
            5142,
            [([b"uplink"], 12)],
        )
        assert await net.reaches(made, UPLINK, LISTED) == [False, True]


async def test_its_rule_without_rates_has_none() -> None:
    async with PyHssNet() as net:
        made = await net.session()
        assert (await net.pcrf.send("rar-no-rates")).result_code == 2001
        assert await net.reaches(made, NO_RATES) == [True]
        (session,) = net.pgw.core.sessions.values()
        assert list(session.rates) == ["listed"]  # PyHSS writes 0 for a rule without rates


async def test_a_rule_of_its_first_answer_that_cannot_be_is_reported_in_an_update() -> None:
    async with PyHssNet("cca-initial-three") as net:
        made = await net.session()
        await net.settle()
        assert net.pcrf.kinds() == [1, 2]
        assert failed(net.pcrf.asked[1]) == [([b"uplink"], 12)]
        (session,) = net.pgw.core.sessions.values()
        assert list(session.bearers) == ["dedicated"]
        assert await net.reaches(made, LISTED, UPLINK) == [True, False]


async def test_a_card_unknown_to_it_gets_no_session() -> None:
    async with PyHssNet("cca-unknown") as net:
        made = await net.mme.create()
        assert made.cause == Cause.USER_AUTHENTICATION_FAILED
        await net.settle()
        assert net.pgw.core.sessions == {}
