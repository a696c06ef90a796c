"""What an MME asks of HSS and EIR says what it is to say, no more; and how it reads what they answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simulators.mme.clients.home import equipment_answer, merge_subscription
from simulators.mme.contexts import Subscription
from simwarden.policy.equipment import EquipmentAnswer
from simwarden.testing.diameter import IMSI
from simwarden.wire.diameter import Application
from simwarden.wire.diameter.codes import Feature, UlrFlags


@pytest.mark.parametrize(
    ("success", "experimental", "status", "read"),
    [
        (True, None, 0, EquipmentAnswer.ALLOWED),
        (True, None, 1, EquipmentAnswer.PROHIBITED),
        (True, None, 2, EquipmentAnswer.TRACKED),
        (True, None, 3, EquipmentAnswer.NO_VERDICT),
        (True, None, None, EquipmentAnswer.NO_VERDICT),
        (False, 5422, None, EquipmentAnswer.UNKNOWN),
        (False, 5422, 0, EquipmentAnswer.UNKNOWN),
        (False, 5423, 0, EquipmentAnswer.NO_VERDICT),
        (False, None, 0, EquipmentAnswer.NO_VERDICT),
    ],
)
def test_only_a_success_with_a_known_status_is_a_verdict_of_the_eir(
    success: bool,  # noqa: FBT001
    experimental: int | None,
    status: int | None,
    read: EquipmentAnswer,
) -> None:
    answer: Any = SimpleNamespace(success=success, experimental_result=experimental, get=lambda _: status)
    assert equipment_answer(answer) is read


def test_silence_is_no_verdict() -> None:
    assert equipment_answer(None) is EquipmentAnswer.NO_VERDICT


@pytest.mark.parametrize(
    ("data", "features", "barred"),
    [
        ([("Subscriber-Status", 0)], Feature.ODB_ALL_APN, False),
        ([("Subscriber-Status", 0), ("Operator-Determined-Barring", 1)], Feature.ODB_ALL_APN, False),
        ([("Subscriber-Status", 1), ("Operator-Determined-Barring", 0)], Feature.ODB_ALL_APN, False),
        ([("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)], Feature.ODB_ALL_APN, True),
        ([("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)], Feature.REG_SUB, False),
        ([("Subscriber-Status", 1)], Feature.ODB_ALL_APN, True),
        ([], Feature.ODB_ALL_APN, True),
    ],
)
def test_a_barred_card_stays_so_until_the_hss_says_otherwise(data: Any, features: Feature, barred: bool) -> None:  # noqa: FBT001
    assert merge_subscription(Subscription(barred=True), data, features).barred is barred


@pytest.mark.parametrize(
    ("settings", "peers"),
    [
        ({}, {"hss": Application.S6A, "eir": Application.S13}),
        ({"equipment": {"eir": "off"}}, {"hss": Application.S6A}),
        (
            {"equipment": {"eir": "off"}, "sms": {"centres": {"smsc": "+8613800100500"}}},
            {"hss": Application.S6A, "smsc": Application.SGD},
        ),
    ],
)
async def test_an_mme_speaks_what_it_has_somebody_to_speak_with(run: Any, settings: Any, peers: Any) -> None:
    async with run(**settings) as network:
        node = network.mme.core.home.node
        assert set(node.local.applications) == set(peers.values())
        assert set(node._dialled) == set(peers)


async def test_an_hss_that_is_no_agent_is_not_asked_by_its_name(run: Any) -> None:
    async with run() as network:
        await network.attached()
        assert [each.get("Destination-Host") for each in network.hss.asked] == [None, None]
        assert network.mme.core.home._servers == {}


async def test_a_location_is_updated_as_of_an_initial_attach_at_an_attach_only(run: Any) -> None:
    """ULR-Flags (TS 29.272 7.3.7), and nothing about messages of a device that wants none."""
    async with run() as network:
        phone = await network.attached_idle()
        network.hss.asked.clear()
        await network.hss.order("Reset-Request", [])
        phone.update()
        await network.settle()
        (update,) = network.hss.asked
        assert update.get("ULR-Flags") == UlrFlags.S6A_S6D
        await network.hss.order("Reset-Request", [])
        phone.idle()
        await network.settle()
        phone.attach()
        await network.settle()
        attach = network.hss.asked[-1]
        assert attach.get("User-Name") == IMSI
        assert attach.get("ULR-Flags") == UlrFlags.S6A_S6D | UlrFlags.INITIAL_ATTACH
        for each in (update, attach):
            assert each.get("MME-Number-for-MT-SMS") is each.get("SMS-Register-Request") is None
