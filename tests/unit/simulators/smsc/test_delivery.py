"""What becomes of messages that the centre has where register, gateway or card are not what they were."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from service_centre import ABSENT, CENTRE, CODE, LISTED, MSISDN, Busy, Network, submit

from simulators.smsc.message import Direction, ShortMessage
from simulators.smsc.procedures.submission import _taken
from simwarden.machine.windowed_session import Asked
from simwarden.testing.diameter import IMSI, REALM
from simwarden.trace.events import Fault, Frame
from simwarden.wire import smpp
from simwarden.wire.diameter import ExperimentalResult
from simwarden.wire.sms import Concatenation, StatusReport, UserData

if TYPE_CHECKING:
    from pathlib import Path

    from simwarden.machine.smpp_session import Event
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message

OTHER = "001010000000099"
APPROVED = {"approver": "Li Wei", "reason": "other platform", "form": "F-21"}


async def test_alert_for_a_number_that_is_no_cards_is_answered_so() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        network.mme.answers = [ABSENT]
        await network.send()
        avps = [("SC-Address", CENTRE), ("User-Identifier", [("MSISDN", "1440000000099")])]
        request = network.mme.node.make("Alert-Service-Centre-Request", avps, realm=REALM, point="SGd")
        answer = await network.mme.node.ask("smsc", request)
        assert answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_USER_UNKNOWN
        assert len(network.mme.tpdus) == 1


@pytest.mark.parametrize("lacking", ["Serving-Node", "User-Name"])
async def test_route_that_says_not_all_is_none(lacking: str) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        route = network.hss.send_routing_info_for_sm
        network.hss.answers["send-routing-info-for-sm"] = lambda asked: [
            each for each in route(asked) if each[0] != lacking
        ]
        await network.send()
        assert (network.state(), network.mme.tpdus) == ("waiting", [])
        why = "no MME takes the card's messages" if lacking == "Serving-Node" else "another card"
        assert any(why in each for each in network.notes())


@pytest.mark.parametrize("second", [{"msisdn": ""}, {"msisdn": "1440000000002"}])
async def test_number_that_a_card_has_no_longer_is_nobodys(second: dict[str, str]) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        await network.provision(LISTED, **second)
        assert await network.send() == "refused"
        await network.provision(LISTED, imsi="001010000000041")
        assert await network.send() == "accepted"
        await network.provision(LISTED, **second)
        assert await network.send() == "accepted"


async def test_message_for_a_card_that_has_lost_its_number_is_routed_and_alerted_by_its_imsi() -> None:
    async with Network(retry=["60 s", "1 day"]) as network:
        await network.provision(LISTED)
        network.mme.answers = [ABSENT, ABSENT]
        await network.send()
        await network.provision(LISTED, msisdn="")
        await network.sleep(60)
        first_, reported, second, again = network.hss.asked
        assert (first_.get("MSISDN"), first_.get("User-Name")) == (f"86{MSISDN}", None)
        assert (second.get("MSISDN"), second.get("User-Name")) == (None, IMSI)
        users = [each.get("User-Identifier") for each in (reported, again)]
        assert users == [[("MSISDN", f"86{MSISDN}")], [("User-Name", IMSI)]]
        avps = [("SC-Address", CENTRE), ("User-Identifier", [("User-Name", IMSI)])]
        request = network.hss.node.make("Alert-Service-Centre-Request", avps, realm=REALM, point="S6c")
        assert (await network.hss.node.ask("smsc", request)).success
        await network.settle()
        assert network.state() == "delivered"


async def test_message_of_a_card_that_has_lost_its_number_comes_from_none() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        await network.host.stop("esme", kill=True)
        assert (await network.mme.submit(submit())).success
        await network.settle()
        await network.provision(LISTED, msisdn="")
        await network.host.start("esme")
        await network.settle()
        frames = [smpp.decode(each.data) for each in network.of(Frame) if each.interface == "SMPP"]
        (delivered,) = [each.body for each in frames if each.command is smpp.Command.DELIVER_SM]
        assert isinstance(delivered, smpp.ShortMessage)
        assert delivered.source == smpp.Address()


async def test_centre_that_stops_hands_nothing_more_to_a_gateway() -> None:
    async with Network(esme=Silent) as network:
        await network.provision(LISTED)
        for _ in range(2):
            assert (await network.mme.submit(submit())).success
        await network.settle()
        stopping = asyncio.ensure_future(network.host.stop("smsc"))
        await asyncio.sleep(0)
        assert isinstance(network.esme, Silent)
        network.esme.answer()  # crosses the unbind
        await stopping
        frames = [each for each in network.of(Frame) if each.source == "smsc" and each.interface == "SMPP"]
        commands = [smpp.decode(each.data).command for each in frames]
        assert commands.count(smpp.Command.DELIVER_SM) == 1
        assert commands[-1] is smpp.Command.UNBIND
        told = len(network.observed("message", element="smsc"))
        await network.sleep(200)  # longer than what waits would be tried after
        assert len(network.observed("message", element="smsc")) == told
        assert network.of(Fault) == []


async def test_centre_that_stops_waits_for_no_answer_of_a_gateway() -> None:
    async with Network(esme=Silent) as network:
        await network.provision(LISTED)
        assert (await network.mme.submit(submit())).success
        await network.settle()
        assert isinstance(network.esme, Silent)
        network.esme.driven.link.on_receive = lambda _data, _stream: None  # nor does it answer the unbind
        await network.host.stop("smsc")
        await network.sleep(200)
        assert network.of(Fault) == []


async def test_telephone_that_was_provisioned_has_no_messages() -> None:
    async with Network() as network:
        await network.provision(LISTED, msisdn="13800138000")
        answer = await network.mme.submit(submit(), number="13800138000")
        assert answer.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause") == 6
        assert await network.send(to="13800138000") == "refused"
        assert network.statuses() == ["ESME_RINVDSTADR"]
        assert network.texts() == network.mme.tpdus == []


class Silent(Busy):
    """A gateway that takes its time."""

    def take(self, event: Event) -> None:
        if isinstance(event, Asked):
            self.owed = event.pdu

    def answer(self, status: int = 0) -> None:
        self.session.answer(self.owed, status, smpp.MessageId())
        self.driven.settle()


async def test_messages_of_two_cards_go_to_a_gateway_one_after_the_other() -> None:
    async with Network(esme=Silent) as network:
        await network.provision(LISTED)
        await network.provision(LISTED, imsi=OTHER, msisdn="1440000000002")
        for number in (MSISDN, "1440000000002"):
            assert (await network.mme.submit(submit(), number=number)).success
        await network.settle()
        assert delivered(network) == 1
        assert isinstance(network.esme, Silent)
        network.esme.answer()
        await network.settle()
        assert delivered(network) == 2


def delivered(network: Network) -> int:
    """Count the messages and receipts that a gateway was handed."""
    frames = [each for each in network.of(Frame) if each.source == "smsc" and each.interface == "SMPP"]
    return sum(smpp.decode(each.data).command is smpp.Command.DELIVER_SM for each in frames)


async def test_part_of_a_cards_long_message_keeps_its_header() -> None:
    async with Network(esme=Silent) as network:
        await network.provision(LISTED)
        header = Concatenation(1, 2, 1).element
        assert (await network.mme.submit(submit(user_data=UserData(b"part", (header,))))).success
        await network.settle()
        assert isinstance(network.esme, Silent)
        body = network.esme.owed.body
        assert isinstance(body, smpp.ShortMessage)
        assert (body.source.number, body.esm_class) == (f"86{MSISDN}", smpp.UDHI)
        assert body.short_message == bytes.fromhex("050003010201") + b"part"


async def test_message_to_a_listed_number_that_no_gateway_has_arrives_nowhere() -> None:
    async with Network() as network:
        await network.provision({"by": "smsc", "numbers": ["10658002"]})
        assert (await network.mme.submit(submit("10658002"))).success
        await network.settle()
        assert network.state() == "undeliverable"


@pytest.mark.parametrize(("result", "told"), [(2001, []), (5555, [("UNDELIV", "001")])])
async def test_who_wants_receipts_of_failures_gets_those(result: int, told: list[tuple[str, str]]) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        network.mme.answers = [(ExperimentalResult(result) if result > 5000 else result, [])]
        await network.send(receipt="failure")
        await network.settle()
        assert [(each["state"], each["error"]) for each in network.values("receipt", "esme")] == told


async def test_number_of_a_message_is_given_once(tmp_path: Path) -> None:
    async with Network(stores={"smsc": f"sqlite:///{tmp_path}/smsc.sqlite"}) as network:
        await network.provision(LISTED)
        await network.provision(imsi=OTHER, msisdn="1440000000002")
        for _ in range(2):
            assert (await network.mme.submit(submit())).success
            await network.host.stop("smsc", kill=True)
            await network.host.start("smsc")
        numbers = [each["id"] for each in network.values("message", "smsc")]
        assert sorted(set(numbers)) == ["1", "2"]


async def test_octets_of_the_operators_own_code_are_octets() -> None:
    gateways = {"gateway": {"password": "secret", "codes": [CODE], "ota": [CODE]}}
    async with Network(gateways=gateways) as network:
        await network.provision(LISTED)
        assert await network.send(text="", octets="0102", data_coding="4") == "accepted"
        (tpdu,) = network.mme.tpdus
        assert (tpdu.data_coding_scheme, tpdu.user_data.octets) == (4, b"\1\2")


@pytest.mark.parametrize(("seconds", "used"), [(599, 2), (600, 4)])
async def test_parts_of_a_long_message_are_counted_as_one_for_ten_minutes(seconds: int, used: int) -> None:
    async with Network() as network:
        await network.provision(LISTED | {"quota": 10})
        for number in (1, 2):
            part = UserData(b"part", (Concatenation(1, 2, number).element,))
            assert (await network.mme.submit(submit(user_data=part))).success
            await network.sleep(seconds)
        assert (await network.call("GET", f"/cards/{IMSI}"))["used"] == used


async def test_a_card_that_takes_its_time_holds_up_no_other() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        await network.provision(LISTED, imsi=OTHER, msisdn="1440000000002")
        network.hss.answers["send-routing-info-for-sm"] = lambda asked: [
            ("User-Name", IMSI if asked.get("MSISDN") == f"86{MSISDN}" else OTHER),
            network.hss.send_routing_info_for_sm(asked)[1],
        ]
        held, deliver = asyncio.Event(), network.mme.deliver

        async def slow(asked: Message, peer: Peer) -> Message:
            if asked.get("User-Name") == IMSI:
                await held.wait()
            return await deliver(asked, peer)

        network.mme.node.handle("SGd", "mt-forward-short-message-request", slow)
        assert [await network.send(to=number) for number in (MSISDN, "1440000000002")] == ["accepted"] * 2
        assert len(network.mme.tpdus) == 1
        held.set()
        await network.settle()
        assert len(network.mme.tpdus) == 2


async def test_alert_of_one_card_is_about_no_other() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        await network.provision(LISTED, imsi=OTHER, msisdn="1440000000002")
        network.mme.answers = [ABSENT]
        assert [await network.send(to=number) for number in (MSISDN, "1440000000002")] == ["accepted"] * 2
        asked = len(network.hss.asked)
        await network.hss.alert()
        await network.settle()
        assert [each.get("MSISDN") for each in network.hss.asked[asked:]] == [f"86{MSISDN}"]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (smpp.Status.ESME_RTHROTTLED, "waiting"),
        (smpp.Status.ESME_RMSGQFUL, "waiting"),
        (smpp.Status.ESME_RX_T_APPN, "waiting"),
        (smpp.Status.ESME_RSYSERR, "waiting"),
        (smpp.Status.ESME_RX_P_APPN, "undeliverable"),
        (smpp.Status.ESME_ROK, "delivered"),
    ],
)
async def test_what_a_gateway_answers_says_whether_it_is_tried_again(status: smpp.Status, state: str) -> None:
    async with Network(esme=Silent) as network:
        await network.provision(LISTED)
        assert (await network.mme.submit(submit())).success
        await network.settle()
        assert isinstance(network.esme, Silent)
        assert network.state() == "trying"
        network.esme.answer(status)
        await network.settle()
        assert network.state() == state


async def test_card_hears_what_became_of_its_message_though_its_list_has_ended() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        await network.host.stop("esme", kill=True)
        assert (await network.mme.submit(submit(status_report_request=True))).success
        await network.call("DELETE", f"/cards/{IMSI}/sms", APPROVED)
        await network.sleep(61)
        (report,) = network.mme.tpdus
        assert isinstance(report, StatusReport)
        assert report.status == 0x42  # its number is listed no more
        assert report.discharge_time - report.time_stamp >= timedelta(seconds=60)  # the date when it was taken


async def test_receipt_goes_to_a_gateway_as_soon_as_it_binds() -> None:
    async with Network(retry=["60 s", "1 day"]) as network:
        await network.provision(LISTED)
        network.mme.answers = [ABSENT]
        await network.send(receipt="yes")
        await network.host.stop("esme", kill=True)
        await network.call("DELETE", f"/cards/{IMSI}/sms", APPROVED)  # which ends no receipt
        await network.sleep(200)
        await network.host.start("esme")
        await network.settle()
        assert [each["state"] for each in network.values("receipt", "esme")] == ["REJECTD"]


async def test_message_is_kept_though_who_asked_is_gone() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        asking = asyncio.ensure_future(_taken(network.smsc.core, message()))
        await asyncio.sleep(0)
        asking.cancel()
        await network.settle()
        assert network.texts() == ["low"]
        assert network.of(Fault) == []


def message() -> ShortMessage:
    return ShortMessage(9, Direction.TO_GATEWAY, IMSI, CODE, 0, 1, "gateway", 0, 0, b"", b"low", 0.0, 1e12)


async def test_rules_that_are_broken_make_no_card_of_a_number() -> None:
    broken = {"fn.core": "always-admit", "sms.directed": "always-admit"}
    async with Network(switches=broken) as network:
        await network.provision(LISTED)
        answer = await network.mme.submit(submit(), number="1440000000099")
        assert answer.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause") == 6
        assert await network.send(to="1440000000099") == "refused"
        assert network.statuses() == ["ESME_RINVDSTADR"]
        assert network.texts() == network.mme.tpdus == []


@pytest.mark.parametrize("octets", ["000000", "0207000001000000"])
async def test_tpdu_of_a_card_that_is_no_submit_is_refused(octets: str) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        answer = await network.mme.submit(bytes.fromhex(octets))
        assert answer.experimental_result == ExperimentalResult.DIAMETER_ERROR_SM_DELIVERY_FAILURE
        assert network.texts() == []


async def test_message_goes_to_no_other_card_that_has_the_number_at_the_hss() -> None:
    async with Network() as network:
        await network.provision(LISTED, imsi="001010000000099")
        assert await network.send(receipt="yes") == "accepted"
        await network.sleep(3600)
        assert network.mme.tpdus == []
        assert network.state() == "waiting"
