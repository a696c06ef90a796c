"""Messages whose units an OCS grants: none is taken without, whatever the OCS says or does not say."""

from __future__ import annotations

from typing import Any

import pytest
from credit_net import APPROVED, GROUPS, ONE, ScriptedOcs, card
from service_centre import ABSENT, CODE, LISTED, MSISDN, Network, submit

from simulators.ocs.element import Ocs
from simwarden.runtime.store import StoreUnavailableError
from simwarden.testing.diameter import IMSI
from simwarden.wire.sms import Concatenation, UserData


class Net(Network):
    """A centre with an OCS, a scripted one or ours."""

    def __init__(self, kind: type[Any] = ScriptedOcs, **more: Any) -> None:
        super().__init__(ocs="ocs", **more)
        self.ocs = self.add("ocs", kind, {} if kind is ScriptedOcs else {"peers": {"smsc": {}}})

    async def ready(self, units: int = 2) -> None:
        await self.provision(LISTED)
        if isinstance(self.ocs, Ocs):
            await self.call("PUT", f"/cards/{IMSI}", card({"sms": units}, IMSI, MSISDN), element="ocs")

    async def status(self) -> str:
        """Send a message to the card; return the status that its gateway is told."""
        await self.send()
        return self.statuses()[-1]

    async def used(self) -> int:
        return int((await self.call("GET", f"/cards/{IMSI}", element="ocs"))["used"]["sms"])


async def test_event_of_a_message() -> None:
    async with Net() as net:
        await net.ready()
        assert (await net.mme.submit(submit())).success
        asked = net.ocs.asked[0]
        kept = [(name, value) for name, value in asked.avps if name not in ("Session-Id", "Event-Timestamp")]
        assert kept[3:] == [
            ("Auth-Application-Id", 4),
            ("Service-Context-Id", "32274@3gpp.org"),
            ("CC-Request-Type", 4),
            ("CC-Request-Number", 0),
            ("Subscription-Id", [("Subscription-Id-Type", 1), ("Subscription-Id-Data", IMSI)]),
            ("Subscription-Id", [("Subscription-Id-Type", 0), ("Subscription-Id-Data", f"86{MSISDN}")]),
            ("Requested-Action", 0),
            (GROUPS, [("Requested-Service-Unit", [("CC-Service-Specific-Units", 1)])]),
            ("Service-Information", [("SMS-Information", [("SMS-Node", 3), ("SM-Message-Type", 0)])]),
        ]
        assert asked.get("Event-Timestamp") == int(net.clock.wall().timestamp())


async def test_quota_of_the_ocs_holds_for_both_directions_and_not_that_of_the_list() -> None:
    async with Net(Ocs) as net:
        await net.ready(units=2)
        assert (await net.mme.submit(submit())).success
        await net.send(text="second")
        await net.settle()
        assert net.statuses() == ["ESME_ROK"]
        assert await net.used() == 2
        refused = await net.mme.submit(submit())
        assert (refused.experimental_result, net.statuses()) == (5555, ["ESME_ROK"])
        await net.send(text="fourth")
        assert net.statuses()[-1] == "ESME_RSUBMITFAIL"
        assert [each["text"] for each in net.values("message", "esme")] == ["low"]
    assert net.verdicts("ocs.sms") == [True, True, False, False]
    assert net.verdicts("sms.quota") == []


async def test_unit_of_a_message_that_never_arrives_comes_back() -> None:
    async with Net(Ocs) as net:
        await net.ready(units=1)
        net.mme.answers = [ABSENT] * 100
        await net.send(text="waits")
        await net.settle()
        assert await net.used() == 1
        await net.sleep(3 * 86_400)
        assert net.state() == "expired"
        assert await net.used() == 0


async def test_long_message_takes_a_unit_for_each_part_at_its_first() -> None:
    def part(number: int) -> Any:
        return submit(user_data=UserData(b"part", (Concatenation(9, 3, number).element,)))

    async with Net(Ocs) as net:
        await net.ready(units=3)
        assert [(await net.mme.submit(part(number))).success for number in (1, 2, 3)] == [True] * 3
        assert await net.used() == 3
        assert net.verdicts("ocs.sms") == [True]


LIMIT: Any = (GROUPS, [("Result-Code", 4012)])
NOTHING: Any = (GROUPS, [("Result-Code", 2001)])
#: units of a group that failed are none
FAILED: Any = (GROUPS, [("Granted-Service-Unit", [("CC-Service-Specific-Units", 1)]), ("Result-Code", 5031)])
ZERO: Any = (GROUPS, [("Granted-Service-Unit", [("CC-Service-Specific-Units", 0)])])


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (4012, "ESME_RSUBMITFAIL"),
        ([LIMIT], "ESME_RSUBMITFAIL"),
        ([], "ESME_RTHROTTLED"),
        ([NOTHING], "ESME_RTHROTTLED"),
        ([ZERO], "ESME_RTHROTTLED"),
        ([FAILED], "ESME_RTHROTTLED"),
        (4010, "ESME_RTHROTTLED"),
        (4011, "ESME_RTHROTTLED"),
        (5003, "ESME_RTHROTTLED"),
        (5030, "ESME_RTHROTTLED"),
        (5031, "ESME_RTHROTTLED"),
        (3004, "ESME_RTHROTTLED"),
        (5999, "ESME_RTHROTTLED"),
        ((4010, [ONE]), "ESME_RTHROTTLED"),
    ],
)
async def test_what_grants_nothing_takes_no_message(said: Any, status: str) -> None:
    async with Net() as net:
        await net.ready()
        net.ocs.answers["credit-control"] = said
        assert await net.status() == status
        assert (await net.mme.submit(submit())).experimental_result == 5555
        assert net.texts() == []
        assert net.mme.tpdus == []


async def test_centre_is_closed_for_a_time_while_the_ocs_is_not_there() -> None:
    async with Net() as net:
        await net.ready()
        net.ocs.silent = True
        assert await net.status() == "ESME_RTHROTTLED"
        net.ocs.silent = False
        assert await net.status() == "ESME_ROK"
        await net.host.stop("ocs", kill=True)
        assert await net.status() == "ESME_RTHROTTLED"
        failed = await net.mme.submit(submit())
        assert failed.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause") == 4  # SC congestion
        await net.host.start("ocs")
        await net.sleep(60)
        assert await net.status() == "ESME_ROK"
        assert (await net.mme.submit(submit(CODE))).success


async def test_message_that_cannot_be_kept_gives_its_unit_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Net(Ocs) as net:
        await net.ready(units=1)

        def fail(*_: object) -> None:
            raise StoreUnavailableError("gone")

        with monkeypatch.context() as patch:
            patch.setattr(net.smsc.core.store, "write", fail)
            assert await net.status() == "ESME_RTHROTTLED"
            await net.settle()
        assert await net.used() == 0
        assert await net.status() == "ESME_ROK"


async def test_message_that_was_debited_goes_out_though_the_quota_is_lowered() -> None:
    async with Net(Ocs) as net:
        await net.ready(units=1)
        net.mme.answers = [ABSENT]
        await net.send(text="waits")
        await net.settle()
        await net.call("PUT", f"/cards/{IMSI}/quota", {"sms": 0, **APPROVED}, element="ocs")
        await net.sleep(120)
        assert net.state() == "delivered"
