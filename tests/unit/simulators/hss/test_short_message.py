"""S6c and the registration of an MME for messages: who learns where a card is, who waits for it, and who is alerted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hss_net import GIVEN, IMSI, METER, REALM, Net

from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import DiameterNode, LocalNode, Unreachable
from simwarden.wire.diameter import ExperimentalResult, first
from simwarden.wire.diameter.apps.s6c import DeliveryCause, MwdStatus
from simwarden.wire.diameter.codes import AlertReason, IdrFlags, NorFlags, SmsFeature, UlaFlags
from simwarden.wire.diameter.features import features_of, supported_features

if TYPE_CHECKING:
    from simwarden.runtime.diameter import Peer
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.wire.diameter import Message

CENTRE, FOREIGN = "8613800100500", "447785016005"
MSISDN = f"861440{IMSI[-9:]}"
NUMBER = "8613440000001"
_WANTS = [
    supported_features(SmsFeature.SMS_IN_MME),
    ("MME-Number-for-MT-SMS", NUMBER),
    ("SMS-Register-Request", 0),
]


class Centre(Element[ElementConfig]):
    """A service centre that asks on S6c; `alerts` are those that it was given."""

    declaration = Declaration(
        kind="smsc", title="SMSC", lane=62, config=ElementConfig, starts_after=("hss",), calls=("S6c", "S6a")
    )

    async def start(self) -> None:
        self.alerts: list[Message] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.meanwhile: DeliveryCause | None = None
        points = {"S6c": {"alert-service-centre-request": self.hear}, "S6a": {}}
        self.node = DiameterNode(self.site, LocalNode(f"{self.site.name}.{REALM}", REALM), points)
        await self.node.connect("S6c", "hss")

    async def stop(self) -> None:
        await self.node.stop()

    async def killed(self) -> None:
        self.node.drop()

    async def hear(self, message: Message, _peer: Peer) -> Message:
        self.alerts.append(message)
        await self.answers.wait()
        if self.meanwhile is not None:
            cause, self.meanwhile = self.meanwhile, None
            await self.report(cause)
        return self.node.answer(message, 2001)

    async def route(self, number: str = MSISDN, address: str = CENTRE) -> Message:
        avps = [("MSISDN", number), ("SC-Address", address)]
        request = self.node.make("Send-Routing-Info-for-SM-Request", avps, realm=REALM)
        return await self.node.ask("hss", request)

    async def report(self, cause: DeliveryCause, address: str = CENTRE) -> Message:
        outcome = [("MME-SM-Delivery-Outcome", [("SM-Delivery-Cause", int(cause))])]
        avps = [
            ("User-Identifier", [("MSISDN", MSISDN)]),
            ("SC-Address", address),
            ("SM-Delivery-Outcome", outcome),
        ]
        request = self.node.make("Report-SM-Delivery-Status-Request", avps, realm=REALM)
        return await self.node.ask("hss", request)


class Routes(Net):
    """An HSS, an MME, and a centre that it lists."""

    def __init__(self, loop: TestbedLoop, store: str = "", **config: Any) -> None:
        super().__init__(loop, store=store, **{"centres": {"smsc": f"+{CENTRE}"}} | config)
        self.centre = self.add("smsc", Centre)

    async def register(self, *more: tuple[str, Any], wants: list[tuple[str, Any]] = _WANTS) -> Message:
        request = self.mme.make(
            "Update-Location-Request",
            ("RAT-Type", 1004),
            ("ULR-Flags", 34),
            ("Visited-PLMN-Id", b"\x00\xf1\x10"),
            supported_features_of_all(),
            *wants,
            *more,
            terminal=METER,
        )
        answer: Message = await self.mme.node.ask("hss", request)
        return answer

    async def ready(self, reason: AlertReason = AlertReason.UE_PRESENT) -> None:
        flags = int(NorFlags.READY_FOR_SM_FROM_MME)
        request = self.mme.make("Notify-Request", ("Alert-Reason", int(reason)), ("NOR-Flags", flags))
        assert (await self.mme.node.ask("hss", request)).success
        await self.settle()


def supported_features_of_all() -> tuple[str, Any]:
    from simwarden.wire.diameter.codes import Feature

    return supported_features(Feature.ODB_ALL_APN | Feature.REG_SUB)


async def test_mme_is_registered_for_messages_and_told_to_the_centre(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        answer = await net.register()
        assert answer.get("ULA-Flags") & UlaFlags.MME_REGISTERED_FOR_SMS
        assert features_of(answer, SmsFeature)
        assert net.hss.views() == {"SMS in MME": [(IMSI, f"mme.{REALM}")], "VLRs": []}
        route = await net.centre.route()
        assert route.get("User-Name") == IMSI
        assert route.get("Serving-Node") == [
            ("MME-Name", f"mme.{REALM}"),
            ("MME-Realm", REALM),
            ("MME-Number-for-MT-SMS", NUMBER),
        ]


@pytest.mark.parametrize("wants", [_WANTS, []])
async def test_provisioning_anew_ends_no_messages_of_a_card_that_has_them_still_or_had_none(
    loop: TestbedLoop, wants: list[tuple[str, Any]]
) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register(wants=wants)
        await net.provision()
        await net.settle()
        assert net.mme.heard == []
        assert (await net.centre.route()).success == bool(wants)


@pytest.mark.parametrize(
    "wants",
    [
        [],
        _WANTS[1:],
        [*_WANTS[:2], ("SMS-Register-Request", 1)],
        [_WANTS[0], _WANTS[2]],
    ],
)
async def test_mme_that_cannot_or_does_not_want_to_is_not_registered(
    loop: TestbedLoop, wants: list[tuple[str, Any]]
) -> None:
    async with Routes(loop) as net:
        await net.provision()
        answer = await net.register(wants=wants)
        assert answer.success
        assert not answer.get("ULA-Flags") & UlaFlags.MME_REGISTERED_FOR_SMS
        assert net.verdicts("sms.registration") == []  # nobody asks for what was not asked
        assert (await net.centre.route()).experimental_result == ExperimentalResult.DIAMETER_ERROR_ABSENT_USER


@pytest.mark.parametrize(("functions", "result"), [(["data"], 5556), (["voice", "sms", "data"], 5556)])
async def test_card_without_sms_or_with_voice_is_not_registered(
    loop: TestbedLoop, functions: list[str], result: int
) -> None:
    async with Routes(loop) as net:
        await net.provision(keys={"functions": functions})
        assert not (await net.register()).get("ULA-Flags") & UlaFlags.MME_REGISTERED_FOR_SMS
        assert (await net.centre.route()).experimental_result == result


async def test_foreign_centre_learns_nothing_not_even_whether_there_is_a_card(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        told = [await net.centre.route(address=FOREIGN), await net.centre.route("8613800138000", FOREIGN)]
        shown = [[(name, value) for name, value in each.avps if name != "Session-Id"] for each in told]
        assert shown[0] == shown[1]
        assert told[0].experimental_result == ExperimentalResult.DIAMETER_ERROR_OPERATION_NOT_ALLOWED
        assert not {"User-Name", "Serving-Node", "MWD-Status"} & {name for name, _ in told[0].avps}
        reported = await net.centre.report(DeliveryCause.ABSENT_USER, FOREIGN)
        assert reported.experimental_result == ExperimentalResult.DIAMETER_ERROR_OPERATION_NOT_ALLOWED
        await net.ready()
        assert net.centre.alerts == []


async def test_mme_does_not_ask_for_routes(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        avps = [("MSISDN", MSISDN), ("SC-Address", CENTRE)]
        request = net.centre.node.make("Send-Routing-Info-for-SM-Request", avps, realm=REALM)
        request.avps = [(name, f"mme2.{REALM}" if name == "Origin-Host" else value) for name, value in request.avps]
        answer = await net.centre.node.ask("hss", request)
        assert not answer.success


async def test_centre_does_not_do_what_mmes_do(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        request = net.centre.node.make(
            "Update-Location-Request",
            [("User-Name", IMSI), ("RAT-Type", 1004), ("ULR-Flags", 34), ("Visited-PLMN-Id", b"\x00\xf1\x10")],
            realm=REALM,
        )
        answer = await net.centre.node.ask("hss", request)
        assert answer.result_code == 5004
        assert net.verdicts("hss.peer")[-1] is False


async def test_unknown_number_is_told_to_the_dedicated_centre(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        answer = await net.centre.route("8614400000099")
        assert answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN


async def test_suspended_card_is_barred_and_no_absent_user(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        await net.call("POST", f"/cards/{IMSI}/suspension", {"how": "barring"})
        assert (await net.centre.route()).experimental_result == ExperimentalResult.DIAMETER_ERROR_SERVICE_BARRED
        await net.call("DELETE", f"/cards/{IMSI}/suspension")
        assert (await net.centre.route()).success


@pytest.mark.parametrize("cause", [DeliveryCause.ABSENT_USER, DeliveryCause.UE_MEMORY_CAPACITY_EXCEEDED])
async def test_centre_that_waits_is_alerted_once(loop: TestbedLoop, cause: DeliveryCause) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        await net.centre.report(cause)
        held = MwdStatus.MNRF_SET if cause is DeliveryCause.ABSENT_USER else MwdStatus.MCEF_SET
        assert (await net.centre.route()).get("MWD-Status") == held
        await net.ready()
        (alert,) = net.centre.alerts
        assert alert.get("SC-Address") == CENTRE
        assert first(alert.get("User-Identifier"), "MSISDN") == MSISDN
        await net.ready()
        assert len(net.centre.alerts) == 1
        other = ({DeliveryCause.ABSENT_USER, DeliveryCause.UE_MEMORY_CAPACITY_EXCEEDED} - {cause}).pop()
        await net.centre.report(other)
        assert (await net.centre.route()).get("MWD-Status") == (MwdStatus.MNRF_SET | MwdStatus.MCEF_SET) & ~held


async def test_report_of_a_terminal_alerts_nobody_and_one_that_the_device_is_back_is_of_no_terminal(
    loop: TestbedLoop,
) -> None:
    async with Routes(loop) as net:
        await net.provision(binding=GIVEN)
        await net.register()
        await net.centre.report(DeliveryCause.ABSENT_USER)
        assert (await net.mme.nor(METER)).success
        assert net.centre.alerts == []
        await net.ready()
        assert len(net.centre.alerts) == 1
        assert (await net.centre.route()).success
        assert net.mme.heard == []


async def test_list_of_those_that_wait_survives_a_killed_register(loop: TestbedLoop, tmp_path: Any) -> None:
    async with Routes(loop, store=f"sqlite:///{tmp_path}/hss.sqlite") as net:
        await net.provision()
        assert (await net.centre.route()).experimental_result == ExperimentalResult.DIAMETER_ERROR_ABSENT_USER
        await net.host.stop("hss", kill=True)
        await net.host.start("hss")
        await net.sleep(60)
        await net.register()
        await net.settle()
        assert len(net.centre.alerts) == 1


async def test_centre_that_is_away_is_alerted_at_the_next_chance(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        await net.centre.report(DeliveryCause.ABSENT_USER)
        await net.host.stop("smsc", kill=True)
        await net.ready()
        await net.sleep(10)
        await net.host.start("smsc")
        await net.ready()
        assert len(net.centre.alerts) == 1


async def test_register_killed_while_it_alerts_alerts_again(loop: TestbedLoop, tmp_path: Any) -> None:
    async with Routes(loop, store=f"sqlite:///{tmp_path}/hss.sqlite") as net:
        await net.provision()
        await net.register()
        await net.centre.report(DeliveryCause.ABSENT_USER)
        net.centre.answers.clear()
        await net.ready()
        await net.host.stop("hss", kill=True)
        net.centre.answers.set()
        await net.host.start("hss")
        await net.sleep(60)
        await net.ready()
        assert len(net.centre.alerts) == 2


async def test_centre_that_says_meanwhile_that_the_card_is_away_again_is_alerted_again(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        await net.centre.report(DeliveryCause.ABSENT_USER)
        net.centre.meanwhile = DeliveryCause.ABSENT_USER
        await net.ready()
        await net.settle()
        assert (await net.centre.route()).get("MWD-Status") == MwdStatus.MNRF_SET
        await net.ready()
        await net.settle()
        assert len(net.centre.alerts) == 2
        assert "MWD-Status" not in {name for name, _ in (await net.centre.route()).avps}


@pytest.mark.parametrize("number", [MSISDN, MSISDN.removeprefix("86")])
@pytest.mark.parametrize("held", [MSISDN, MSISDN.removeprefix("86"), f"+{MSISDN}"])
async def test_card_is_found_by_its_number_however_it_is_provisioned(loop: TestbedLoop, number: str, held: str) -> None:
    async with Routes(loop) as net:
        await net.provision(keys={"msisdn": held})
        assert first((await net.register()).get("Subscription-Data"), "MSISDN") == MSISDN
        assert (await net.centre.route(number)).success


async def test_mme_that_gives_its_registration_up_is_no_route_any_more(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        flags = int(NorFlags.REMOVAL_OF_MME_REGISTRATION_FOR_SMS)
        assert (await net.mme.node.ask("hss", net.mme.make("Notify-Request", ("NOR-Flags", flags)))).success
        assert (await net.centre.route()).experimental_result == ExperimentalResult.DIAMETER_ERROR_ABSENT_USER


async def test_sms_that_is_taken_away_ends_the_registration_at_the_mme(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        await net.provision(keys={"functions": ["data"]})
        order = next(each for each in net.mme.heard if each.name == "insert-subscriber-data-request")
        assert order.get("IDR-Flags") == IdrFlags.REMOVE_SMS_REGISTRATION
        assert (await net.centre.route()).experimental_result == 5556


async def test_register_without_centres_has_no_s6c(loop: TestbedLoop) -> None:
    async with Routes(loop, centres={}) as net:
        await net.provision()
        assert net.centre.node.peers == ()


async def test_node_that_is_no_centre_finds_no_s6c_without_centres(loop: TestbedLoop) -> None:
    async with Routes(loop, centres={}, peers={"mme": {}, "smsc": {}}) as net:
        with pytest.raises(Unreachable):
            await net.centre.route()


async def test_card_that_its_mme_has_purged_is_absent(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        assert (await net.mme.node.ask("hss", net.mme.make("Purge-UE-Request"))).success
        assert (await net.centre.route()).experimental_result == ExperimentalResult.DIAMETER_ERROR_ABSENT_USER


async def test_report_by_an_msc_alerts_nobody(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        await net.centre.report(DeliveryCause.ABSENT_USER)
        outcome = [("MSC-SM-Delivery-Outcome", [("SM-Delivery-Cause", int(DeliveryCause.SUCCESSFUL_TRANSFER))])]
        avps = [("User-Identifier", [("MSISDN", MSISDN)]), ("SC-Address", CENTRE), ("SM-Delivery-Outcome", outcome)]
        request = net.centre.node.make("Report-SM-Delivery-Status-Request", avps, realm=REALM)
        assert (await net.centre.node.ask("hss", request)).success
        await net.settle()
        assert net.centre.alerts == []
        await net.centre.report(DeliveryCause.SUCCESSFUL_TRANSFER)
        await net.settle()
        assert len(net.centre.alerts) == 1


async def test_centre_that_does_not_say_its_address_learns_nothing(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        request = net.centre.node.make("Send-Routing-Info-for-SM-Request", [("MSISDN", MSISDN)], realm=REALM)
        answer = await net.centre.node.ask("hss", request)
        assert answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_OPERATION_NOT_ALLOWED


async def test_centre_is_alerted_once_however_often_the_device_comes_back_meanwhile(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision()
        await net.register()
        await net.centre.report(DeliveryCause.ABSENT_USER)
        net.centre.answers.clear()
        assert (await net.centre.route()).get("MWD-Status") == MwdStatus.MNRF_SET
        await net.ready()
        await net.ready()
        assert len(net.centre.alerts) == 1
        route = await net.centre.route()  # it is being told, and waits for nothing more
        assert (route.success, "MWD-Status" in dict(route.avps)) == (True, False)
        net.centre.answers.set()
        await net.settle()
        await net.ready()
        assert len(net.centre.alerts) == 1


async def test_of_two_centres_one_that_is_alerted_takes_nothing_from_what_the_other_waits_for(
    loop: TestbedLoop,
) -> None:
    second = {"smsc": f"+{CENTRE}", "smsc2": "+8613800100501"}
    async with Routes(loop, centres=second) as net:
        other = net.add("smsc2", Centre)
        await net.host.start("smsc2")
        await net.provision()
        await net.register()
        await net.centre.report(DeliveryCause.ABSENT_USER)
        net.centre.answers.clear()
        await net.ready()
        assert (await net.centre.route()).get("MWD-Status", 0) == 0
        await other.report(DeliveryCause.UE_MEMORY_CAPACITY_EXCEEDED, "8613800100501")
        assert (await net.centre.route()).get("MWD-Status") == MwdStatus.MNRF_SET | MwdStatus.MCEF_SET
        net.centre.answers.set()
        await net.settle()
        await net.ready()
        assert (len(net.centre.alerts), len(other.alerts)) == (1, 1)
        await other.report(DeliveryCause.UE_MEMORY_CAPACITY_EXCEEDED, "8613800100501")
        assert (await net.centre.route()).get("MWD-Status") == MwdStatus.MCEF_SET


async def test_card_without_a_number_is_found_and_told_by_its_imsi(loop: TestbedLoop) -> None:
    async with Routes(loop) as net:
        await net.provision(keys={"msisdn": ""})
        await net.register()
        request = net.centre.node.make(
            "Send-Routing-Info-for-SM-Request", [("User-Name", IMSI), ("SC-Address", CENTRE)], realm=REALM
        )
        assert (await net.centre.node.ask("hss", request)).success
        outcome = [("MME-SM-Delivery-Outcome", [("SM-Delivery-Cause", int(DeliveryCause.ABSENT_USER))])]
        avps = [("User-Identifier", [("User-Name", IMSI)]), ("SC-Address", CENTRE), ("SM-Delivery-Outcome", outcome)]
        request = net.centre.node.make("Report-SM-Delivery-Status-Request", avps, realm=REALM)
        assert (await net.centre.node.ask("hss", request)).success
        await net.ready()
        (alert,) = net.centre.alerts
        assert alert.get("User-Identifier") == [("User-Name", IMSI)]


async def test_of_two_centres_that_wait_the_one_that_is_away_stays_on_the_list(loop: TestbedLoop) -> None:
    second = {"smsc": f"+{CENTRE}", "smsc2": "+8613800100501"}
    async with Routes(loop, centres=second) as net:
        other = net.add("smsc2", Centre)
        await net.host.start("smsc2")
        await net.provision()
        await net.register()
        await net.centre.report(DeliveryCause.ABSENT_USER)
        await other.report(DeliveryCause.ABSENT_USER, "8613800100501")
        await net.host.stop("smsc2", kill=True)
        await net.ready()
        await net.sleep(10)
        assert len(net.centre.alerts) == 1
        await net.host.start("smsc2")
        await net.ready()
        assert (len(net.centre.alerts), len(other.alerts)) == (1, 1)


async def test_rule_that_is_broken_makes_no_card_of_a_number(loop: TestbedLoop) -> None:
    async with Routes(loop, switches={"hss.subscriber": "always-admit"}) as net:
        told = [await net.centre.route(), await net.centre.report(DeliveryCause.ABSENT_USER)]
        assert [each.experimental_result for each in told] == [ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN] * 2


async def test_a_card_that_is_refused_is_as_unknown_as_one_that_is_not_there(loop: TestbedLoop) -> None:
    async with Routes(loop, switches={"hss.subscriber": "always-refuse"}) as net:
        await net.provision()
        told = [await net.centre.route(), await net.centre.report(DeliveryCause.ABSENT_USER)]
        assert [each.experimental_result for each in told] == [ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN] * 2
        assert [each.subject for each in net.decisions("hss.subscriber")] == [IMSI] * 2
