"""A UE that claims a card in service takes nothing from it before it is admitted (TS 24.301 5.5.1.2.7 f)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simwarden.operations.management import Role
from simwarden.wire.nas.elements import MobileIdentity
from simwarden.wire.nas.enums import IdentityType, MessageType
from simwarden.wire.nas.message import Message, encode

IMSI = "001010000000001"
PHONE = "3599990000000102"
APPROVAL = {"approver": "Li Wei", "reason": "meter moved", "form": "F-21"}


def _by_hss(network: Any) -> None:
    network.hss.answers["update-location"] = 5001
    network.hss.answers["notify"] = 5001


def _by_eir(network: Any) -> None:
    network.eir.answers["me-identity-check"] = [("Equipment-Status", 1)]


def _by_silence(network: Any) -> None:
    network.hss.silent = True


def _by_barring(network: Any) -> None:
    data = [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)]
    network.hss.answers["update-location"] = [("ULA-Flags", 1), ("Subscription-Data", data)]


async def _clone(network: Any, meter: Any) -> Any:
    """Attach another terminal with a copy of the card (same IMSI and K) by the other eNB."""
    clone = replace(
        meter,
        radio=network.enb2,
        imeisv=PHONE,
        enb_id=70,
        mme_id=0,
        guti=None,
        security=None,
        got=[],
        released=[],
        replies={},
        bearers=0,
    )
    clone.attach()
    await network.sleep(20)
    return clone


@pytest.mark.parametrize("refuse", [_by_hss, _by_eir, _by_barring, _by_silence])
async def test_a_refused_clone_leaves_the_meter_in_service(run: Any, refuse: Any) -> None:
    async with run() as network:
        meter = await network.attached()
        before = network.session()
        refuse(network)
        clone = await _clone(network, meter)
        assert clone.types()[-1] is MessageType.ATTACH_REJECT
        assert clone.released
        assert meter.released == []
        assert network.session() == before
        (connection,) = network.mme.core.connections.values()
        assert connection.enb.name == "enb"
        ue = network.mme.core.by_imsi[IMSI]
        assert ue.bearer is not None
        assert ue.connection is connection
        assert network.mme.core.attempts == {}
        meter.idle()
        await network.settle()
        meter.service()
        await network.settle()
        assert meter.bearers == 1


def _without_keys(network: Any, meter: Any, imeisv: str) -> Any:
    """Return a terminal with a copy of the card and the meter's GUTI, which its S-TMSI and paging tell to everybody."""
    return replace(
        meter,
        radio=network.enb2,
        imeisv=imeisv,
        enb_id=70,
        mme_id=0,
        security=None,
        got=[],
        released=[],
        replies={},
        bearers=0,
    )


async def _update_as_clone(network: Any, meter: Any) -> Any:
    clone = _without_keys(network, meter, PHONE)
    request = Message(
        MessageType.TRACKING_AREA_UPDATE_REQUEST,
        eps_update_type=0,
        nas_key_set_identifier=7,
        old_guti=meter.guti,
        ue_network_capability=clone.attach_request()["ue_network_capability"],
    )
    clone.first(encode(request))
    await network.sleep(20)
    return clone


@pytest.mark.parametrize("refuse", [_by_hss, _by_eir, _by_barring, _by_silence])
@pytest.mark.parametrize("report", ["update-location", "notify"])
async def test_a_clone_whose_update_is_refused_leaves_the_meter_in_service(run: Any, refuse: Any, report: str) -> None:
    async with run(equipment={"report_change": report}) as network:
        meter = await network.attached()
        before = network.session()
        refuse(network)
        clone = await _update_as_clone(network, meter)
        if refuse is _by_barring and report == "notify":
            assert clone.types()[-1] is MessageType.TRACKING_AREA_UPDATE_ACCEPT  # nobody has told of the barring
            return
        assert clone.types()[-1] is MessageType.TRACKING_AREA_UPDATE_REJECT
        assert clone.released
        assert meter.released == []
        assert network.session() == before
        assert network.mme.core.attempts == {}
        assert len(network.mme.core.connections) == 1
        meter.idle()
        await network.settle()
        meter.service()
        await network.settle()
        assert meter.bearers == 1


async def test_an_update_that_is_proven_anew_takes_the_session_over(run: Any) -> None:
    async with run() as network:
        meter = await network.attached()
        clone = await _update_as_clone(network, meter)
        assert clone.types()[-1] is MessageType.TRACKING_AREA_UPDATE_ACCEPT
        assert meter.released
        assert network.session()["imeisv"] == PHONE
        clone.service()
        await network.settle()
        assert clone.bearers == 1


@pytest.mark.parametrize("imeisv", [PHONE, "", None])
async def test_who_is_not_the_terminal_does_not_detach_it(run: Any, imeisv: str | None) -> None:
    async with run() as network:
        meter = await network.attached()
        clone = _without_keys(network, meter, meter.imeisv if imeisv is None else imeisv)
        request = Message(
            MessageType.DETACH_REQUEST,
            detach_type=1,
            nas_key_set_identifier=7,
            eps_mobile_identity=MobileIdentity(IdentityType.GUTI, meter.guti),
        )
        clone.first(encode(request))
        await network.sleep(20)
        assert clone.released
        assert network.mme.core.attempts == {}
        assert (network.session() is None) == (imeisv is None)
        assert (meter.released == []) == (imeisv is not None)


async def test_an_admitted_attach_ends_the_former_session(run: Any) -> None:
    async with run() as network:
        meter = await network.attached()
        clone = await _clone(network, meter)
        assert clone.types()[-1] is MessageType.ATTACH_ACCEPT
        assert meter.released
        assert network.session()["imeisv"] == PHONE
        assert len(network.mme.core.connections) == 1
        assert network.mme.core.attempts == {}


async def _cancel(network: Any) -> None:
    await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 2)])


async def _move_area(network: Any) -> None:
    path, body = f"/cards/{IMSI}/area", {**APPROVAL, "cells": ["001-01-0000301"]}
    await network.mme.manage(Role.OPERATOR, "PUT", path, body)


async def _bar(network: Any) -> None:
    data = [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)]
    await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", data)])


@pytest.mark.parametrize("change", [_cancel, _move_area, _bar])
@pytest.mark.parametrize("with_keys", [False, True])
async def test_a_change_ends_session_and_attempt(run: Any, change: Any, with_keys: bool) -> None:  # noqa: FBT001
    """The attempt waits for an answer of its terminal when the right of the card is lost."""

    async with run() as network:
        meter = await network.attached()
        clone = replace(
            meter,
            radio=network.enb2,
            imeisv="" if not with_keys else meter.imeisv,
            imei="",
            enb_id=70,
            mme_id=0,
            guti=meter.guti if with_keys else None,
            security=meter.security if with_keys else None,
            got=[],
            released=[],
            replies={MessageType.IDENTITY_REQUEST: None},
        )
        clone.attach()
        await network.settle()
        assert clone.types()[-1] is MessageType.IDENTITY_REQUEST
        await change(network)
        await network.settle()
        assert clone.released
        assert network.session() is None
        assert network.mme.core.attempts == {}
        assert network.mme.core.connections == {}


async def test_an_emergency_call_with_the_card_ends_the_former_session(run: Any) -> None:
    async with run() as network:
        meter = await network.attached()
        clone = replace(meter, radio=network.enb2, enb_id=70, mme_id=0, got=[], released=[], replies={})
        clone.attach(eps_attach_type=6)
        await network.settle()
        assert clone.types()[-1] is MessageType.ATTACH_ACCEPT
        assert meter.released
        assert network.session()["emergency"]
