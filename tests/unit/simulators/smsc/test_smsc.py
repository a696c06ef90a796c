"""The service centre between a scripted register, a scripted MME and a gateway: what it takes, keeps and tells."""

from __future__ import annotations

from typing import Any

import pytest
from service_centre import ABSENT, CODE, FULL, GATEWAY, LISTED, MSISDN, Busy, Network, submit

from simulators.platform.element import Platform
from simulators.smsc.config import SmscConfig
from simwarden.errors import ManagementError
from simwarden.runtime.store import StoreUnavailableError
from simwarden.testing.diameter import IMSI
from simwarden.trace.events import Frame, PeerFault
from simwarden.trace.records import ChargingRecord
from simwarden.wire import smpp
from simwarden.wire.diameter import ExperimentalResult
from simwarden.wire.diameter.apps.s6c import DeliveryCause, MwdStatus
from simwarden.wire.diameter.apps.sgd import DeliveryFailureCause
from simwarden.wire.sms import (
    Concatenation,
    Deliver,
    FailureCause,
    StatusReport,
    SubmitReport,
    UserData,
    Validity,
    decode,
)

# -- of cards


async def test_message_of_a_card_is_acknowledged_and_goes_to_the_gateway_of_its_code() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        answer = await network.mme.submit(submit())
        await network.settle()
        assert answer.success
        report = decode(answer.get("SM-RP-UI"), from_mobile=False)
        assert isinstance(report, SubmitReport)
        assert report.failure_cause is None
        assert network.texts() == ["low"]
        assert network.state() == "delivered"


@pytest.mark.parametrize(
    ("sms", "to", "result", "failure", "cause"),
    [
        (LISTED, "10658001", 5555, DeliveryFailureCause.INVALID_SME_ADDRESS, FailureCause.DESTINATION_SME_BARRED),
        (None, CODE, 5556, None, FailureCause.NO_SC_SUBSCRIPTION),
    ],
)
async def test_refusal_is_told_in_each_layers_cause(
    sms: dict[str, Any] | None, to: str, result: int, failure: int | None, cause: FailureCause
) -> None:
    async with Network() as network:
        await network.provision(sms)
        answer = await network.mme.submit(submit(to))
        assert answer.experimental_result == result
        assert answer.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause") == failure
        report = decode(answer.get("SM-RP-UI"), from_mobile=False)
        assert isinstance(report, SubmitReport)
        assert report.failure_cause == cause
        assert network.texts() == []


async def test_message_for_another_centre_and_of_nobody_is_refused() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        found = [
            await network.mme.submit(submit(), centre="447785016005"),
            await network.mme.submit(submit(), number="1440000000099"),
            await network.mme.submit(submit(), number="13800138000"),
        ]
        causes = [each.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause") for each in found]
        assert causes[0] == DeliveryFailureCause.UNKNOWN_SERVICE_CENTRE
        assert found[1].experimental_result == 5556
        assert causes[2] == DeliveryFailureCause.USER_NOT_SC_USER
        assert network.texts() == []


@pytest.mark.parametrize("octets", ["", "01", "0207", "ff" * 30, "0101ff9100000000", "410108a001560800000005ff"])
async def test_tpdu_that_cannot_be_read_is_refused(octets: str) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        assert not (await network.mme.submit(bytes.fromhex(octets))).success
        assert (await network.mme.submit(submit())).success


async def test_message_waits_for_a_gateway_that_is_not_bound() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        await network.host.stop("esme", kill=True)
        await network.settle()
        assert (await network.mme.submit(submit())).success
        await network.settle()
        assert network.state() == "waiting"
        await network.host.start("esme")
        await network.settle()
        assert network.texts() == ["low"]


async def test_gateway_that_takes_nothing_is_tried_until_the_validity_ends() -> None:
    async with Network(esme=Busy) as network:
        await network.provision(LISTED)
        await network.mme.submit(submit(validity=Validity.relative(1800), status_report_request=True))
        await network.settle()
        await network.sleep(2000)
        assert network.state() == "delivered"  # of the report, after
        (report,) = network.mme.tpdus
        assert isinstance(report, StatusReport)
        assert (report.reference, report.status) == (7, 0x46)
        tried = [each["attempts"] for each in network.values("message", "smsc") if each["direction"] == "mo"]
        assert max(tried) == 4  # at 0, 60, 360 and 1260 s


async def test_parts_of_a_long_message_are_judged_and_counted_as_one() -> None:
    async with Network() as network:
        await network.provision(LISTED | {"quota": 3})

        async def part(reference: int, total: int, number: int) -> bool:
            element = Concatenation(reference, total, number).element
            return (await network.mme.submit(submit(user_data=UserData(b"part", (element,))))).success

        assert [await part(1, 4, number) for number in (1, 2, 3, 4)] == [False] * 4
        assert await part(2, 2, 2)
        assert (await network.call("GET", f"/cards/{IMSI}"))["used"] == 2
        assert (await network.mme.submit(submit())).success  # the third
        assert await part(2, 2, 1)  # counted with the part that came first
        assert (await network.call("GET", f"/cards/{IMSI}"))["used"] == 3
        assert not await part(2, 2, 1)  # the reference is used again: another message, over the quota
        assert not (await network.mme.submit(submit())).success


# -- for cards


async def test_message_is_delivered_and_its_receipt_comes() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        assert await network.send(text="read", receipt="yes") == "accepted"
        (tpdu,) = network.mme.tpdus
        assert isinstance(tpdu, Deliver)
        assert (tpdu.originator.number, tpdu.user_data.octets) == (CODE, b"read")
        (receipt,) = network.values("receipt", "esme")
        assert (receipt["state"], receipt["error"]) == ("DELIVRD", "000")
        assert network.hss.names() == ["send-routing-info-for-sm"]


@pytest.mark.parametrize("to", ["+861440000000001", "00861440000000001", "861440000000001", "1440000000001"])
async def test_card_is_found_in_every_spelling(to: str) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        assert await network.send(to=to) == "accepted"
        assert len(network.mme.tpdus) == 1


async def test_who_wants_no_receipt_gets_none() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        assert await network.send(receipt="no") == "accepted"
        await network.settle()
        assert network.state() == "delivered"
        frames = [each for each in network.of(Frame) if each.interface == "SMPP" and each.source == "smsc"]
        assert smpp.Command.DELIVER_SM not in [smpp.decode(each.data).command for each in frames]


@pytest.mark.parametrize("number", ["", " "])
async def test_nobody_has_no_number(number: str) -> None:
    async with Network() as network:
        await network.provision(LISTED, msisdn="")
        core: Any = network.smsc
        assert core.core.store.numbered(number) is None


async def test_absent_device_is_reported_and_tried_when_the_register_alerts() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        network.mme.answers = [ABSENT]
        await network.send()
        assert network.state() == "waiting"
        (reported,) = [each for each in network.hss.asked if each.name.startswith("report")]
        cause = reported.find("SM-Delivery-Outcome", "MME-SM-Delivery-Outcome", "SM-Delivery-Cause")
        assert cause == DeliveryCause.ABSENT_USER
        await network.hss.alert()
        await network.settle()
        assert network.state() == "delivered"
        await network.sleep(100)  # longer than the attempt was planned for
        first_, second = network.mme.tpdus
        assert first_.time_stamp == second.time_stamp


async def test_delivery_after_a_wait_ends_what_the_register_holds() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        route = network.hss.send_routing_info_for_sm
        network.hss.answers["send-routing-info-for-sm"] = lambda asked: [
            *route(asked),
            ("MWD-Status", int(MwdStatus.MNRF_SET)),
        ]
        await network.send()
        outcome = network.hss.asked[-1].find("SM-Delivery-Outcome", "MME-SM-Delivery-Outcome", "SM-Delivery-Cause")
        assert outcome == DeliveryCause.SUCCESSFUL_TRANSFER


async def test_attempts_follow_the_schedule() -> None:
    async with Network(retry=["10 s", "20 s"]) as network:
        await network.provision(LISTED)
        network.mme.answers = [ABSENT, FULL, ABSENT]
        await network.send()
        for seconds, tried in ((9, 1), (2, 2), (18, 2), (3, 3), (21, 4)):
            await network.sleep(seconds)
            assert len(network.mme.tpdus) == tried
        assert network.state() == "delivered"


@pytest.mark.parametrize(
    ("result", "state"),
    [
        *((5001, "undeliverable"), (5101, "undeliverable"), (5556, "undeliverable")),
        *((5557, "waiting"), (5550, "waiting"), (3002, "waiting")),
    ],
)
async def test_register_that_has_no_route_ends_a_message_or_lets_it_wait(result: int, state: str) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        network.hss.answers["send-routing-info-for-sm"] = result
        await network.send(receipt="yes")
        found = [each for each in network.values("message", "smsc") if each["direction"] == "mt"]
        assert found[-1]["state"] == state
        assert network.mme.tpdus == []
        assert any(f"the HSS answered {result}" in each for each in network.notes())


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (ExperimentalResult.DIAMETER_ERROR_SM_DELIVERY_FAILURE, "undeliverable"),
        (ExperimentalResult.DIAMETER_ERROR_SERVICE_BARRED, "undeliverable"),
        (ExperimentalResult.DIAMETER_ERROR_FACILITY_NOT_SUPPORTED, "waiting"),
        (5012, "waiting"),
    ],
)
async def test_mme_that_delivers_nothing_ends_a_message_or_lets_it_wait(result: Any, state: str) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        network.mme.answers = [(result, [])]
        await network.send()
        found = [each for each in network.values("message", "smsc") if each["direction"] == "mt"]
        assert (found[-1]["state"], len(network.mme.tpdus)) == (state, 1)
        assert any(f"the MME answered {int(result)}," in each for each in network.notes())


async def test_silent_register_lets_messages_wait() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        await network.host.stop("hss", kill=True)
        assert await network.send() == "accepted"
        await network.sleep(10)
        assert network.state() == "waiting"


async def test_number_that_is_taken_away_ends_what_waits() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        network.mme.answers = [ABSENT]
        await network.send(receipt="yes")
        approved = {"approver": "Li Wei", "reason": "other platform", "form": "F-21"}
        await network.call("PUT", f"/cards/{IMSI}/sms", {"numbers": ["10658001"], **approved})
        await network.hss.alert()
        await network.settle()
        assert len(network.mme.tpdus) == 1
        (receipt,) = network.values("receipt", "esme")
        assert receipt["state"] == "REJECTD"
        assert [each["action"] for each in await network.call("GET", "/audit")] == ["provision", "list-changed"]


async def test_what_was_acknowledged_is_delivered_after_a_killed_process(tmp_path: Any) -> None:
    stores = {"smsc": f"sqlite:///{tmp_path}/smsc.sqlite"}
    async with Network(stores=stores) as network:
        await network.provision(LISTED | {"quota": 2})
        network.mme.answers = [ABSENT]
        await network.send()
        taken = network.mme.tpdus[0].time_stamp
        await network.host.stop("smsc", kill=True)
        await network.sleep(30)
        await network.host.start("smsc")
        await network.sleep(120)
        assert [each.time_stamp for each in network.mme.tpdus] == [taken, taken]
        assert network.state() == "delivered"
        assert network.values("message", "smsc")[-1]["attempts"] == 3  # one while the MME was not back
        assert (await network.call("GET", f"/cards/{IMSI}"))["used"] == 1
        assert await network.call("GET", "/messages") == []


async def test_nothing_is_acknowledged_or_counted_that_is_not_kept() -> None:
    async with Network() as network:
        await network.provision(LISTED | {"quota": 1})
        store = network.smsc.core.store
        write = store.write
        store.write = away  # type: ignore[method-assign, assignment]  # the database goes
        assert await network.send() == "refused"
        refused = await network.mme.submit(submit())
        assert network.statuses() == ["ESME_RTHROTTLED"]
        cause = refused.find("SM-Delivery-Failure-Cause", "SM-Enumerated-Delivery-Failure-Cause")
        assert cause == DeliveryFailureCause.SC_CONGESTION
        assert network.mme.tpdus == network.texts() == []
        store.write = write  # type: ignore[method-assign]  # and comes back
        assert await network.send() == "accepted"
        assert len(network.mme.tpdus) == 1
        assert await network.send() == "refused"  # the quota of one is used up


async def test_end_that_cannot_be_kept_is_kept_later_and_told_once() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        store = network.smsc.core.store
        network.mme.answers = [ABSENT]
        await network.send(receipt="yes")
        write = store.write
        store.write = away  # type: ignore[method-assign, assignment]
        await network.sleep(61)  # the second attempt
        assert len(network.mme.tpdus) == 2
        assert network.values("receipt", "esme") == []
        store.write = write  # type: ignore[method-assign]
        await network.sleep(120)
        assert len(network.mme.tpdus) == 2
        assert [each["state"] for each in network.values("receipt", "esme")] == ["DELIVRD"]
        assert await network.call("GET", "/messages") == []


def away(*_arguments: object) -> None:
    raise StoreUnavailableError("the database does not answer")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"code": "10658009"}, "ESME_RINVSRCADR"),
        ({"code": "13800138000"}, "ESME_RINVSRCADR"),
        ({"code": CODE, "source_ton": "5"}, "ESME_RINVSRCADR"),
        ({"code": "10658001"}, "ESME_RINVDSTADR"),
        ({"to": "1440000000099"}, "ESME_RINVDSTADR"),
        ({"to": "13800138000"}, "ESME_RINVDSTADR"),
        ({"code": "1065-8000", "source_ton": "0"}, "ESME_RINVSRCADR"),
        ({"validity": "soon"}, "ESME_RINVEXPIRY"),
        ({"data_coding": "13"}, "ESME_RSUBMITFAIL"),
        ({"protocol_id": "127", "data_coding": "246"}, "ESME_RSUBMITFAIL"),
        ({"data_coding": "242"}, "ESME_RSUBMITFAIL"),
        ({"text": "", "octets": "0102", "data_coding": "4"}, "ESME_RSUBMITFAIL"),
        ({"header": "060504158a0000"}, "ESME_RSUBMITFAIL"),
        ({"header": "027000"}, "ESME_RSUBMITFAIL"),
        ({"header": "050003070201", "text": "x" * 154}, "ESME_RINVMSGLEN"),
        ({"to": ""}, "ESME_RINVDSTADR"),
        ({"code": "10658009", "to": "1440000000099"}, "ESME_RINVSRCADR"),
    ],
)
async def test_refusal_of_a_platforms_message_is_its_status(fields: dict[str, Any], status: str) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        assert await network.send(**fields) == "refused"
        assert network.statuses() == [status]
        assert network.mme.tpdus == []
        answers = [each.data for each in network.of(Frame) if each.interface == "SMPP" and each.source == "smsc"]
        assert len(answers[-1]) == 16, "an error has no body (SMPP 3.4 4.4.2)"


async def test_long_message_comes_in_parts_that_belong_together() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        assert await network.send(text="水位上涨" * 40) == "accepted"
        assert len(network.mme.tpdus) == 3
        assert [len(each.user_data.header) for each in network.mme.tpdus] == [1, 1, 1]
        joined = b"".join(each.user_data.octets for each in network.mme.tpdus).decode("utf-16-be")
        assert joined == "水位上涨" * 40


# -- gateways and lists


async def test_gateway_octets_that_are_none_close_its_connection_alone() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        link = await network.esme.site.connect("SMPP", "smsc")
        link.send(b"\xff" * 40)
        await network.settle()
        assert network.smsc.core.gateways["gateway"].link.known, "it has proven who it is"
        assert network.of(PeerFault)
        assert await network.send() == "accepted"


async def test_second_connection_of_a_gateway_takes_the_place_of_the_first() -> None:
    network = Network()
    network.add("second", Platform, GATEWAY | {"at_start": "no"})
    async with network:
        await network.provision(LISTED)
        assert await network.do("second", "bind_platform", platform="second") == "bound"
        assert network.observed("bind", element="esme") == ["bound", "unbound"]
        assert (await network.mme.submit(submit())).success
        await network.settle()
        assert [each["text"] for each in network.values("message", "second")] == ["low"]


@pytest.mark.parametrize("spelling", [CODE, f"86{CODE}", f"+86{CODE}", f"0086{CODE}", f"0{CODE}", "106 580 00"])
def test_a_code_of_two_gateways_is_refused_in_every_spelling(spelling: str) -> None:
    gateways = {"gateway": {"codes": [CODE]}, "other": {"codes": [spelling]}}
    with pytest.raises(ValueError, match="is that of one gateway, with and without its country code"):
        SmscConfig.model_validate({"gateways": gateways})


@pytest.mark.parametrize(
    ("numbers", "more", "admitted"),
    [
        ([f"1065800{n}" for n in range(5)], {}, True),
        ([f"1065800{n}" for n in range(6)], {}, False),
        ([f"1065800{n}" for n in range(6)], {"exception": "E-7"}, True),
        (["13800138000"], {}, False),
    ],
)
async def test_list_is_no_longer_than_it_may_be(numbers: list[str], more: dict[str, str], *, admitted: bool) -> None:
    async with Network() as network:
        if admitted:
            await network.provision({"by": "smsc", "numbers": numbers, **more})
        else:
            with pytest.raises(ManagementError) as refused:
                await network.provision({"by": "smsc", "numbers": numbers, **more})
            assert refused.value.status == 403
            kept = await network.call("GET", "/audit")
            assert kept[-1]["action"] == "provision-refused"


async def test_gateway_may_send_by_one_link_and_receive_by_another() -> None:
    async with Network() as network:
        network.add("other", Platform, GATEWAY | {"bind": "transmitter"})
        await network.host.start("other")
        await network.settle()
        await network.provision(LISTED)
        message = {"to": MSISDN, "code": CODE, "text": "read the meter"}
        assert await network.do("other", "submit_message", platform="other", **message) == "accepted"
        await network.settle()
        assert (await network.mme.submit(submit())).success
        await network.settle()
        assert network.texts() == ["low"]
        assert [each["state"] for each in network.values("receipt", "esme")] == ["DELIVRD"]
        await network.do("esme", "unbind_platform", platform="esme")
        await network.mme.submit(submit(text=b"later"))
        await network.settle()
        assert network.state() == "waiting", "the link that is left takes no messages"
        assert network.observed("gateway", element="smsc")[-1] == {"system_id": "gateway", "state": "bound"}
        await network.do("esme", "bind_platform", platform="esme")
        await network.settle()
        assert network.texts() == ["low", "later"]
        assert network.observed("bind", element="other") == ["bound"]


@pytest.mark.parametrize("spelling", [MSISDN, f"+{MSISDN}"])
async def test_number_of_a_card_is_given_to_no_other(spelling: str) -> None:
    """Its messages would be delivered to the other."""
    async with Network() as network:
        await network.provision({"by": "smsc", "numbers": [CODE]})
        with pytest.raises(ManagementError) as refused:
            await network.provision({"by": "smsc", "numbers": [CODE]}, msisdn=spelling, imsi="001010000000099")
        assert (refused.value.status, str(refused.value)) == (409, f"another card has the number {MSISDN}")
        assert await network.send() == "accepted"
        await network.settle()
        assert network.values("message", "smsc")[-1]["imsi"] == IMSI
        await network.provision({"by": "smsc", "numbers": [CODE]})  # the card itself keeps it


async def test_each_message_has_its_record() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        assert (await network.mme.submit(submit(status_report_request=True))).success
        assert not (await network.mme.submit(submit("10658001"))).success
        assert await network.send() == "accepted"
        assert await network.send(code="10658001") == "refused"
        await network.settle()
        taken, refused, delivered, turned_down = network.of(ChargingRecord)
        assert [each.record for each in (taken, refused)] == ["SCSMORecord"] * 2
        assert [each.record for each in (delivered, turned_down)] == ["SCSMTRecord"] * 2
        assert taken.fields["originatorInfo"] == {"originatorIMSI": IMSI, "originatorMSISDN": MSISDN}
        assert [each["recipientOtherAddress"] for each in taken.fields["recipientInfo"]] == [CODE]
        assert (taken.fields["messageReference"], taken.fields["messageSize"]) == (7, 3)
        assert taken.fields["sMdeliveryReportRequested"] is True
        assert refused.fields["sMSResult"] == ExperimentalResult.DIAMETER_ERROR_SM_DELIVERY_FAILURE
        assert delivered.fields["recipientInfo"]["recipientIMSI"] == IMSI
        assert (delivered.fields["sMSStatus"], "sMSResult" in delivered.fields) == (0, False)
        assert "sMSResult" in turned_down.fields
        assert [each.fields["localSequenceNumber"] for each in network.of(ChargingRecord)] == [1, 2, 3, 4]


async def test_what_works_on_the_card_comes_by_the_operators_own_code() -> None:
    gateways = {"gateway": {"password": "secret", "codes": [CODE, "10658001"], "ota": [f"+86{CODE}"]}}
    async with Network(gateways=gateways) as network:
        await network.provision({"by": "smsc", "numbers": [CODE, "10658001"]})
        download = {"protocol_id": "127", "data_coding": "246"}
        assert await network.send(**download) == "accepted"
        assert await network.send(code="10658001", **download) == "refused"
        await network.settle()
        (tpdu,) = network.mme.tpdus
        assert (tpdu.protocol_identifier, tpdu.data_coding_scheme) == (0x7F, 0xF6)


@pytest.mark.parametrize("said", ["", "secret"])
async def test_gateway_without_a_password_does_not_bind(said: str) -> None:
    """A file that forgot it would else let in whoever knows the name."""
    async with Network(gateways={"gateway": {"codes": [CODE]}}) as network:
        network.add("open", Platform, {"binds_at": "smsc", "system_id": "gateway", "password": said})
        await network.host.start("open")
        assert network.observed("bind", element="open") == ["refused"]
        assert network.values("gateway", "smsc") == []
