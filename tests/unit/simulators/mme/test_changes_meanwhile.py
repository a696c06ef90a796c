"""What changes in the middle of an attach, or while nobody would tell the MME, holds for what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.model.identity import Ecgi
from simwarden.operations.management import Role
from simwarden.wire.nas.enums import EmmCause, MessageType

IMSI = "001010000000001"
HOME, NEXT = "001-01-0000101", "001-01-0000201"
APPROVAL = {"approver": "Li Wei", "reason": "meter moved", "form": "F-21"}
PROHIBITED = [("Equipment-Status", 1)]


async def _bar(network: Any) -> None:
    data = [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)]
    await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", data)])


async def _move_zone(network: Any) -> None:
    data = [("Regional-Subscription-Zone-Code", bytes.fromhex("0009"))]
    await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", data)])


async def _withdraw_apn(network: Any) -> None:
    avps = [("User-Name", IMSI), ("DSR-Flags", 8), ("Context-Identifier", 1)]
    await network.hss.order("Delete-Subscriber-Data-Request", avps)


async def _move_area(network: Any) -> None:
    await network.mme.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}/area", {**APPROVAL, "cells": [NEXT]})


@pytest.mark.parametrize("change", [_bar, _move_zone, _withdraw_apn, _move_area])
async def test_a_change_in_the_middle_of_an_attach_ends_it(run: Any, change: Any) -> None:
    async with run(zones={"0001": [1]}) as network:
        phone = network.phone()
        complete: list[Any] = []
        phone.replies[MessageType.ATTACH_ACCEPT] = lambda _phone, message: complete.append(message)
        phone.attach()
        await network.settle()
        assert complete
        await change(network)
        del phone.replies[MessageType.ATTACH_ACCEPT]
        if phone.enb_id in network.enb.phones:
            phone.take_again(complete[0])
        await network.settle()
        assert network.session() is None
        assert phone.released
        assert MessageType.DETACH_REQUEST not in phone.types(), "it is not registered yet"
        assert all(ue.bearer is None for ue in network.mme.core.by_imsi.values())


async def _allow(network: Any) -> None:
    data = [("Subscriber-Status", 0), ("Regional-Subscription-Zone-Code", bytes.fromhex("0001"))]
    await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), ("Subscription-Data", data)])


async def _stay(network: Any) -> None:
    await network.mme.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}/area", {**APPROVAL, "cells": [HOME]})


@pytest.mark.parametrize("change", [_allow, _stay])
async def test_a_change_that_allows_the_attach_leaves_it_alone(run: Any, change: Any) -> None:
    async with run(zones={"0001": [1]}) as network:
        phone = network.phone()
        complete: list[Any] = []
        phone.replies[MessageType.ATTACH_ACCEPT] = lambda _phone, message: complete.append(message)
        phone.attach()
        await network.settle()
        await change(network)
        del phone.replies[MessageType.ATTACH_ACCEPT]
        phone.take_again(complete[0])
        await network.settle()
        assert network.session() is not None


async def test_a_verdict_does_not_outlive_the_purge(run: Any) -> None:
    """After a purge no cancellation comes here, so that nobody would take the verdict back."""

    async with run(timers={"purge": 60}, equipment={"verdict_lifetime": 86400}) as network:
        network.host.clock.skip_keep_alives = False
        await network.attached_idle()
        await network.sleep(3240 + 240 + 300 + 60 + 1)
        assert network.hss.names() == ["purge-ue"]
        network.eir.answers["me-identity-check"] = PROHIBITED
        network.phone().attach()
        await network.settle()
        assert network.session() is None
        assert network.reject()["emm_cause"] is EmmCause.ILLEGAL_ME


async def test_a_verdict_of_an_attempt_that_the_register_refused_is_not_kept_for_the_next(run: Any) -> None:
    async with run() as network:
        network.hss.answers["update-location"] = 5001
        network.phone().attach()
        await network.settle()
        del network.hss.answers["update-location"]
        network.eir.answers["me-identity-check"] = PROHIBITED
        network.phone().attach()
        await network.settle()
        assert network.session() is None


async def test_a_cancellation_during_an_emergency_call_takes_the_verdict_back(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.attach(eps_attach_type=6)
        await network.settle()
        assert network.session()["emergency"]
        await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", 2)])
        await network.settle()
        assert network.session()["emergency"]
        network.eir.answers["me-identity-check"] = PROHIBITED
        phone.attach()
        await network.settle()
        assert phone.got[-1].type is MessageType.ATTACH_REJECT


async def test_a_verdict_holds_for_a_card_that_is_registered_here(run: Any) -> None:
    async with run() as network:
        phone = await network.attached_idle()
        phone.update()
        await network.settle()
        assert network.eir.names() == []
        assert network.session() is not None


@pytest.mark.parametrize(("cell", "served"), [(HOME, True), ("001-01-0000102", False)])
async def test_a_device_that_moves_in_the_middle_of_an_attach_is_judged_where_it_ends(
    run: Any,
    cell: str,
    served: bool,  # noqa: FBT001 - a parameter
) -> None:
    async with run() as network:
        await network.mme.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}/area", {**APPROVAL, "cells": [HOME]})
        phone = network.phone()
        complete: list[Any] = []
        phone.replies[MessageType.ATTACH_ACCEPT] = lambda _phone, message: complete.append(message)
        phone.attach()
        await network.settle()
        phone.cell = Ecgi.parse(cell)
        phone.take_again(complete[0])
        await network.settle()
        assert (network.session() is not None) == served
