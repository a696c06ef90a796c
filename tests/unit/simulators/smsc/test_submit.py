"""Parameters of submit_sm: statuses of invalid ones, segments, schedules and replacement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from older_store import upgraded_store
from service_centre import ABSENT, CODE, LISTED, MSISDN, Network
from smpp_submits import NOT_ALLOWED, REFERENCE, TEXTS, TOTAL, ask, number

from simulators.smsc.store import METADATA, Store
from simwarden.runtime.store import sqlite_url
from simwarden.wire import smpp
from simwarden.wire.smpp import Address, Parameter, Status, Tag
from simwarden.wire.sms import Concatenation, Deliver, Ports

if TYPE_CHECKING:
    from pathlib import Path

BODY = smpp.ShortMessage(source=Address(CODE, 0, 1), destination=Address(MSISDN, 0, 1), short_message=b"x")
OTA = {"gateway": {"password": "secret", "codes": [CODE], "ota": [CODE]}}


@pytest.mark.parametrize("case", NOT_ALLOWED)
async def test_submit_sm_that_is_not_allowed_is_refused_by_its_status(case: str) -> None:
    fields, parameters, status = NOT_ALLOWED[case]
    async with Network() as network:
        await network.provision(LISTED)
        answer = await ask(network, network.esme, replace(BODY, **fields), *parameters)
        assert Status(answer.status) is status
        await network.sleep(7200)
        assert network.mme.tpdus == []


@pytest.mark.parametrize("case", TEXTS)
async def test_text_is_delivered_with_its_coding(case: str) -> None:
    fields, parameters, octets = TEXTS[case]
    async with Network() as network:
        await network.provision(LISTED)
        body = replace(BODY, **fields)
        assert (await ask(network, network.esme, body, *parameters)).status == 0
        (tpdu,) = network.mme.tpdus
        assert (tpdu.data_coding_scheme, tpdu.user_data.octets) == (body.data_coding, octets)


async def test_segment_has_a_header_of_which_part_it_is() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        for at in (1, 2):
            body = replace(BODY, short_message=b"x" * 153)
            assert (await ask(network, network.esme, body, REFERENCE, TOTAL, number(at))).status == 0
        headers = [each.user_data.header for each in network.mme.tpdus]
        assert headers == [(Concatenation(7, 2, at).element,) for at in (1, 2)]
        assert {each.user_data.octets for each in network.mme.tpdus} == {b"x" * 153}


async def test_port_of_the_operator_is_an_element_of_the_header() -> None:
    ports = Parameter(Tag.DESTINATION_PORT, b"\x0b\x84"), Parameter(Tag.SOURCE_PORT, b"\x23\xf4")
    async with Network(gateways=OTA) as network:
        await network.provision(LISTED)
        assert (await ask(network, network.esme, BODY, *ports)).status == 0
        assert network.mme.tpdus[0].user_data.header == (Ports(0x0B84, 0x23F4).element,)


@pytest.mark.parametrize("when", ["000000020000000R", "260302100000000+", "260302180000032+"])
async def test_scheduled_message_is_tried_at_its_time_and_not_before(when: str) -> None:
    """A run begins at 08:00 UTC."""
    async with Network() as network:
        await network.provision(LISTED)
        assert await network.send(schedule=when) == "accepted"
        await network.hss.alert()
        await network.sleep(7199)
        assert network.mme.tpdus == []
        await network.sleep(1)
        (tpdu,) = network.mme.tpdus
        assert isinstance(tpdu, Deliver)


async def test_scheduled_message_survives_a_killed_centre_and_keeps_its_time(tmp_path: Path) -> None:
    async with Network(stores={"smsc": sqlite_url(tmp_path / "store")}) as network:
        await network.provision(LISTED)
        await network.send(schedule="000000020000000R")
        await network.sleep(3600)
        await network.host.stop("smsc", kill=True)
        await network.host.start("smsc")
        await network.sleep(3599)
        assert network.mme.tpdus == []
        await network.sleep(60)
        assert len(network.mme.tpdus) == 1


async def test_validity_counts_from_the_scheduled_time() -> None:
    async with Network(validity="1 h") as network:
        await network.provision(LISTED)
        network.mme.answers = [ABSENT]
        await network.send(schedule="000001000000000R", receipt="yes")
        await network.sleep(86_400)
        assert network.state() == "waiting"
        await network.sleep(60)
        assert network.values("receipt", "esme")[-1]["state"] == "DELIVRD"


async def test_message_whose_validity_is_past_ends_as_expired() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        assert await network.send(validity="200101000000000+", receipt="yes") == "accepted"
        assert [each["state"] for each in network.values("receipt", "esme")] == ["EXPIRED"]
        assert network.mme.tpdus == []


async def test_message_replaces_what_waits_between_the_same_numbers() -> None:
    async with Network() as network:
        await network.provision(LISTED | {"numbers": [CODE, "10658001"]})
        network.mme.answers = [ABSENT] * 3
        for source in (CODE, "10658001"):
            body = replace(BODY, source=Address(source, 0, 1), short_message=b"old", registered_delivery=1)
            assert (await ask(network, network.esme, body)).status == 0
        assert (await ask(network, network.esme, replace(BODY, replace_if_present_flag=1))).status == 0
        await network.sleep(60)
        assert sorted(each.user_data.octets for each in network.mme.tpdus[3:]) == [b"old", b"x"]
        states = {each["id"]: each["state"] for each in network.values("message", "smsc")}
        assert sorted(states.values())[:1] == ["deleted"]


async def test_store_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "store")
    with upgraded_store(url, METADATA, "scheduled", id=3, direction="mt", imsi="001010000000017") as engine:
        assert [(each.id, each.scheduled) for each in Store(engine).messages] == [(3, 0.0)]
