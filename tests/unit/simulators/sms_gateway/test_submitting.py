"""What a gateway takes of platforms, as the SMSC gets it, and what it refuses, as the platform is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from business import CODE, IMSI, MSISDN, OTA_CODE, OTHER_CODE, OTHER_MSISDN, Business, provision
from older_store import upgraded_store
from smpp_submits import NOT_ALLOWED, REFERENCE, TEXTS, TOTAL, ask, number

from simulators.sms_gateway.store import METADATA, Store
from simwarden.machine.smpp_session import SmppSession
from simwarden.runtime.site import Site
from simwarden.runtime.store import sqlite_url
from simwarden.trace.events import Frame
from simwarden.wire import smpp
from simwarden.wire.smpp import Address, Command, MessageState, Parameter, Status, Tag

if TYPE_CHECKING:
    from pathlib import Path

    from simwarden.runtime.link import Link

APPROVED = {"approver": "He Lan", "reason": "contract 12", "form": "scan 8831"}


def statuses(bench: Business) -> list[int]:
    """Return the statuses of all submit_sm_resp that the gateway sent to platforms."""
    frames = [each for each in bench.of(Frame) if each.interface == "SMPP" and each.source == "sms_gateway"]
    pdus = [smpp.decode(each.data) for each in frames if each.target != "smsc"]
    return [each.status for each in pdus if each.command is smpp.Command.SUBMIT_SM_RESP]


async def test_a_message_reaches_the_smsc_and_its_receipt_the_platform() -> None:
    async with Business() as bench:
        assert await bench.submit() == "accepted"
        (got,) = bench.smsc.got
        assert got.source == Address(CODE, 0, 1)
        assert got.destination == Address(MSISDN, 1, 1)
        assert (got.short_message, got.registered_delivery) == (b"read your meter", 1)
        bench.smsc.report(1)
        await bench.settle()
        assert bench.receipts() == ["DELIVRD"]
        assert bench.smsc.answered == [0]
        assert bench.states() == ["waiting", "forwarded", "delivered", "delivered"]
        assert bench.gateway.core.messages == {}
        assert bench.receipts("heating") == []


@pytest.mark.parametrize("spelled", [CODE, f"+86{CODE}", f"0086{CODE}", f"86{CODE}"])
async def test_the_code_is_known_in_every_spelling(spelled: str) -> None:
    async with Business() as bench:
        assert await bench.submit(code=spelled) == "accepted"
        assert bench.smsc.got[0].source.number == CODE


@pytest.mark.parametrize("spelled", [f"+{MSISDN}", MSISDN, f"00{MSISDN}", MSISDN[2:], f"0{MSISDN[2:]}"])
async def test_the_card_is_known_in_every_spelling(spelled: str) -> None:
    async with Business() as bench:
        assert await bench.submit(spelled) == "accepted"
        assert bench.smsc.got[0].destination == Address(MSISDN, 1, 1)


BINARY = {"octets": "0102", "data_coding": "4"}
PORTS = {"octets": "41", "header": "06050423f40000"}
TOOLKIT = {"octets": "41", "header": "027000"}
REFUSED: dict[str, tuple[dict[str, Any], Status, str]] = {
    "code of another": ({"code": OTHER_CODE}, Status.ESME_RINVSRCADR, "sms.code"),
    "name": ({"code": "BANK"}, Status.ESME_RINVSRCADR, "sms.code"),
    "card": ({"code": f"+{MSISDN}"}, Status.ESME_RINVSRCADR, "sms.code"),
    "code with a digit more": ({"code": f"{CODE}1"}, Status.ESME_RINVSRCADR, "sms.code"),
    "card of another": ({"to": f"+{OTHER_MSISDN}"}, Status.ESME_RINVDSTADR, "sms.owner"),
    "public number": ({"to": "13800000000"}, Status.ESME_RINVDSTADR, "sms.owner"),
    "other operator": ({"to": "+13800000000"}, Status.ESME_RINVDSTADR, "sms.owner"),
    "code as card": ({"to": OTHER_CODE}, Status.ESME_RINVDSTADR, "sms.owner"),
    "binary": (BINARY, Status.ESME_RSUBMITFAIL, "sms.content"),
    "binary by SMPP's word": ({"octets": "41", "data_coding": "2"}, Status.ESME_RSUBMITFAIL, "sms.content"),
    "class 2": ({"octets": "41", "data_coding": "242"}, Status.ESME_RSUBMITFAIL, "sms.content"),
    "class 2 by the general group": ({"octets": "41", "data_coding": "18"}, Status.ESME_RSUBMITFAIL, "sms.content"),
    "data download": ({"octets": "41", "protocol_id": "127"}, Status.ESME_RSUBMITFAIL, "sms.content"),
    "silent": ({"octets": "41", "protocol_id": "64"}, Status.ESME_RSUBMITFAIL, "sms.content"),
    "port": (PORTS, Status.ESME_RSUBMITFAIL, "sms.content"),
    "toolkit": (TOOLKIT, Status.ESME_RSUBMITFAIL, "sms.content"),
    "damaged header": ({"octets": "41", "header": "0905"}, Status.ESME_RSUBMITFAIL, "sms.content"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_never_reaches_the_smsc(case: str) -> None:
    given, status, control = REFUSED[case]
    async with Business() as bench:
        assert await bench.submit(**given) == "refused"
        assert statuses(bench) == [status]
        assert bench.verdicts(control)[-1] is False
        assert bench.smsc.got == []
        assert bench.gateway.core.messages == {}


@pytest.mark.parametrize("source", ["01065800012", "+861065800012", "008601065800012"])
async def test_a_fixed_line_with_the_digits_of_a_code_is_no_source(source: str) -> None:
    code = "1065800012"
    async with Business(codes={code: {"account": "waterworks"}}) as bench:
        await bench.call("PUT", f"/cards/{IMSI}/sms", {"account": "waterworks", "numbers": [code], **APPROVED})
        assert await bench.submit(code=source) == "refused"
        assert await bench.submit(code=code) == "accepted"
        assert [each.source.number for each in bench.smsc.got] == [code]


DOWNLOAD = {"octets": "41", "protocol_id": "127", "data_coding": "246"}


@pytest.mark.parametrize("given", [BINARY, PORTS, TOOLKIT, DOWNLOAD])
async def test_the_operators_own_code_works_on_the_card(given: dict[str, Any]) -> None:
    async with Business() as bench:
        await bench.call("PUT", f"/cards/{IMSI}/sms", {"account": "operator", "numbers": [OTA_CODE], **APPROVED})
        assert await bench.submit(name="ota", **given) == "accepted"
        assert len(bench.smsc.got) == 1


async def test_a_code_that_is_not_on_the_cards_list_is_refused() -> None:
    async with Business() as bench:
        await bench.call("PUT", f"/cards/{IMSI}/sms", {"account": "waterworks", "numbers": [OTA_CODE], **APPROVED})
        assert await bench.submit() == "refused"
        assert statuses(bench) == [Status.ESME_RINVDSTADR]
        judged = [each for each in bench.decisions("fn.sms.directed") if each.occasion == "submit"]
        assert [each.admitted for each in judged] == [False]


async def test_a_card_that_is_not_opened_for_sms_gets_none() -> None:
    async with Business() as bench:
        card = provision("001010000000033", "8614400000033", functions=["data"])
        await bench.call("PUT", "/cards/001010000000033", card)
        assert await bench.submit("+8614400000033") == "refused"
        assert bench.decisions("fn.sms.directed")[-1].reason == "the card is not opened for SMS"


async def test_a_customer_is_held_to_its_rate() -> None:
    accounts = {"waterworks": {"system_id": "meters", "password": "s3cret", "rate": "2"}}
    async with Business(accounts=accounts) as bench:
        assert [await bench.submit() for _ in range(3)] == ["accepted", "accepted", "refused"]
        assert statuses(bench)[-1] == Status.ESME_RTHROTTLED
        await bench.sleep(1)
        assert await bench.submit() == "accepted"


async def test_a_full_queue_is_told() -> None:
    async with Business(customers={"queue": "2"}, smsc="") as bench:
        assert [await bench.submit() for _ in range(3)] == ["accepted", "accepted", "refused"]
        assert statuses(bench)[-1] == Status.ESME_RMSGQFUL
        assert not [each for each in bench.notes() if "SMSC" in each]  # there is none to be looked for


async def test_a_long_message_goes_on_when_it_is_whole() -> None:
    text = "一二三四五六七八九十" * 15
    async with Business() as bench:
        assert await bench.submit(text=text) == "accepted"
        assert len(bench.smsc.got) == 3
        assert bench.states()[:4] == ["held", "held", "held", "waiting"]


PART = "0500030702{:02x}"


async def test_parts_wait_for_the_others_and_end_without_them() -> None:
    async with Business() as bench:
        assert await bench.submit(octets="41", header=PART.format(2)) == "accepted"
        assert bench.smsc.got == []
        await bench.sleep(59)
        assert bench.receipts() == []
        await bench.sleep(2)
        assert bench.receipts() == ["EXPIRED"]
        assert bench.gateway.core.messages == {}


async def test_parts_go_in_their_order() -> None:
    async with Business() as bench:
        for number in (2, 1):
            assert await bench.submit(octets=f"4{number}", header=PART.format(number)) == "accepted"
        assert [each.short_message[-1:] for each in bench.smsc.got] == [b"A", b"B"]
        assert await bench.submit(octets="41", header=PART.format(1)) == "accepted"  # another with the same reference
        assert len(bench.smsc.got) == 2


@pytest.mark.parametrize("hidden", [{"data_coding": "4"}, {"protocol_id": "127"}])
async def test_one_refused_part_ends_the_whole_message(hidden: dict[str, str]) -> None:
    async with Business() as bench:
        assert await bench.submit(octets="41", header=PART.format(1)) == "accepted"
        assert await bench.submit(octets="41", header=PART.format(2), **hidden) == "refused"
        assert bench.receipts() == ["REJECTD"]
        assert await bench.submit(octets="41", header=PART.format(2)) == "refused"
        assert bench.smsc.got == []
        await bench.sleep(61)
        for number in (1, 2):
            assert await bench.submit(octets="41", header=PART.format(number)) == "accepted"
        assert len(bench.smsc.got) == 2


async def test_a_refused_part_ends_also_those_that_come_later() -> None:
    async with Business() as bench:
        assert await bench.submit(octets="41", header=PART.format(1), protocol_id="127") == "refused"
        assert await bench.submit(octets="41", header=PART.format(2)) == "refused"


async def test_a_part_that_comes_twice_is_refused_once() -> None:
    async with Business() as bench:
        assert await bench.submit(octets="41", header=PART.format(1)) == "accepted"
        assert await bench.submit(octets="41", header=PART.format(1)) == "refused"
        assert await bench.submit(octets="42", header=PART.format(2)) == "accepted"
        assert len(bench.smsc.got) == 2


async def test_what_the_smsc_will_not_have_ends_with_a_receipt() -> None:
    async with Business() as bench:
        bench.smsc.script = lambda _message: Status.ESME_RINVDSTADR
        assert await bench.submit() == "accepted"
        assert bench.observed("receipt", element="platform") == [
            {"id": "0000000001", "state": "UNDELIV", "error": "011"}
        ]
        assert await bench.submit(receipt="no") == "accepted"
        assert len(bench.receipts()) == 1
        assert bench.gateway.core.messages == {}


@pytest.mark.parametrize(
    "status",
    [
        Status.ESME_RTHROTTLED,
        Status.ESME_RMSGQFUL,
        Status.ESME_RSYSERR,
        Status.ESME_RX_T_APPN,
        Status.ESME_RINVBNDSTS,
    ],
)
async def test_what_the_smsc_cannot_take_now_is_tried_again(status: Status) -> None:
    async with Business() as bench:
        bench.smsc.script = lambda _message: status
        assert await bench.submit() == "accepted"
        bench.smsc.script = lambda _message: 0
        await bench.sleep(9)
        assert bench.smsc.got == []
        await bench.sleep(2)
        assert len(bench.smsc.got) == 1


async def test_an_error_with_a_message_id_is_an_error() -> None:
    """A body beside an error (SMPP 3.4 4.4.2 has none) makes no success of it."""
    async with Business() as bench:
        bound = bench.smsc.bound[0]
        bound.submitted = lambda pdu: bound.session.answer(pdu, Status.ESME_RINVDSTADR, smpp.MessageId("c1"))  # type: ignore[method-assign]
        assert await bench.submit() == "accepted"
        assert bench.states() == ["waiting", "undeliverable", "delivered"]


async def test_the_window_of_the_smsc_is_kept_to() -> None:
    async with Business(customers={"window": 1}) as bench:
        bound, asked = bench.smsc.bound[0], list[smpp.Pdu]()
        bound.submitted = asked.append  # type: ignore[method-assign,assignment]
        assert [await bench.submit(octets=f"4{number}") for number in (1, 2)] == ["accepted", "accepted"]
        assert len(asked) == 1
        bound.session.answer(asked[0], 0, smpp.MessageId("c1"))
        bound.driven.settle()
        await bench.settle()
        assert [each.body.short_message for each in asked if isinstance(each.body, smpp.ShortMessage)] == [b"A", b"B"]


def unbinds(bench: Business) -> list[str]:
    """Return who has told the SMSC or the gateway goodbye."""
    frames = [each for each in bench.of(Frame) if each.interface == "SMPP" and {each.source, each.target} >= {"smsc"}]
    return [each.source for each in frames if smpp.decode(each.data).command is smpp.Command.UNBIND]


@pytest.mark.parametrize(("kill", "said"), [(True, []), (False, ["sms_gateway"])])
async def test_a_gateway_that_ends_leaves_its_bind_and_makes_none(*, kill: bool, said: list[str]) -> None:
    async with Business(retry="5") as bench:
        await bench.host.stop("sms_gateway", kill=kill)
        await bench.sleep(60)
        assert unbinds(bench) == said
        assert len(bench.smsc.binds) == 1


@pytest.mark.parametrize("kill", [True, False])
async def test_a_gateway_that_has_ended_ends_no_message(*, kill: bool) -> None:
    async with Business(smsc="") as bench:
        await bench.submit()
        await bench.host.stop("sms_gateway", kill=kill)
        await bench.sleep(86_410)
        assert bench.states() == ["waiting"]
        assert bench.gateway.core.by_centre_id == {}
        assert kill or bench.gateway.census()["binds"] == 0


async def test_a_gateway_without_power_sends_nothing() -> None:
    async with Business() as bench:
        bench.gateway.centre.end(say=False)
        await bench.submit()
        assert bench.gateway.core.flying == {}
        assert bench.smsc.got == []


async def test_an_smsc_that_refuses_the_bind_is_there_but_is_no_smsc(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Business() as bench:
        assert bench.gateway.centre._driven.link.known
        monkeypatch.setattr(
            SmppSession, "accept", lambda session, pdu, _: session.refuse(pdu, smpp.Status.ESME_RINVPASWD)
        )
        await bench.host.stop("smsc", kill=True)
        await bench.host.start("smsc")
        heard, connect = list[str](), Site.connect

        async def listened(site: Site, interface: str, target: str) -> Link:
            link = await connect(site, interface, target)
            link.on_standing = heard.append
            return link

        monkeypatch.setattr(Site, "connect", listened)
        await bench.sleep(11)
        assert bench.observed("smsc", element="sms_gateway")[-1] == "refused"
        assert heard[0] == "the SMSC refuses the bind: 0xe"


async def test_a_message_without_an_answer_is_sent_again_and_counted() -> None:
    async with Business() as bench:
        bench.smsc.silent = True
        assert await bench.submit() == "accepted"
        await bench.sleep(11)
        bench.smsc.silent = False
        await bench.sleep(10)
        assert len(bench.smsc.got) == 1
        assert bench.observed("message", element="sms_gateway")[-1]["repeated"] == 1


async def test_messages_wait_for_an_smsc_that_is_away_until_their_time_is_over() -> None:
    async with Business() as bench:
        await bench.host.stop("smsc", kill=True)
        assert await bench.submit() == "accepted"
        await bench.sleep(60)
        assert await bench.submit() == "accepted"
        await bench.sleep(86_330)
        assert bench.receipts() == []
        await bench.sleep(20)
        assert bench.receipts() == ["EXPIRED"]
        await bench.sleep(60)
        assert bench.receipts() == ["EXPIRED", "EXPIRED"]


async def test_of_a_message_whose_receipt_never_comes_nothing_is_known() -> None:
    async with Business() as bench:
        assert await bench.submit() == "accepted"
        assert await bench.submit(receipt="no") == "accepted"  # which is over when its time is
        await bench.sleep(86_400 + 3590)
        assert bench.receipts() == []
        await bench.sleep(20)
        assert bench.receipts() == ["UNKNOWN"]
        bench.smsc.report(1, MessageState.DELIVERED)
        await bench.settle()
        assert bench.receipts() == ["UNKNOWN"]
        assert bench.smsc.answered == [0]


async def test_no_receipt_is_sent_to_who_wants_none() -> None:
    async with Business() as bench:
        assert await bench.submit(receipt="no") == "accepted"
        assert bench.smsc.got[0].registered_delivery == 0
        assert bench.gateway.core.messages == {}


async def test_receipts_that_nobody_fetches_hold_up_who_wants_more() -> None:
    async with Business(customers={"queue": "2"}, platform={"bind": "transmitter"}) as bench:
        for number in (1, 2):
            assert await bench.submit() == "accepted"
            bench.smsc.report(number)
            await bench.settle()
        assert await bench.submit() == "refused"
        assert statuses(bench)[-1] == Status.ESME_RMSGQFUL
        assert await bench.submit(receipt="no") == "accepted"


async def test_a_refused_part_is_remembered_among_so_many() -> None:
    async with Business(customers={"queue": "1"}) as bench:
        for reference in range(5):
            header = f"050003{reference:02x}0201"
            assert await bench.submit(octets="41", header=header, protocol_id="127") == "refused"
        assert len(bench.gateway.core.groups) == 1


async def test_the_smsc_is_looked_for_less_and_less_often() -> None:
    async with Business() as bench:
        await bench.host.stop("smsc", kill=True)
        await bench.sleep(3600)
        pauses = [f"the next try is in {seconds} s" for seconds in (10, 20, 40, 80, 160, 320)]
        assert [each.partition("; ")[2] for each in bench.notes() if "the next try" in each] == pauses
        assert 5 < bench.gateway.centre._failed < 20
        await bench.host.start("smsc")
        await bench.sleep(321)
        assert len(bench.smsc.binds) == 1
        assert bench.gateway.centre._failed == 0


SUBMIT = smpp.ShortMessage(source=Address(CODE, 0, 1), destination=Address(MSISDN, 1, 1), short_message=b"x")
NOT_TAKEN: list[tuple[Command, smpp.Body, tuple[Parameter, ...], Status]] = [
    (Command.QUERY_SM, smpp.Query("1"), (), Status.ESME_RINVCMDID),
    (Command.CANCEL_SM, smpp.Cancel(message_id="1"), (), Status.ESME_RINVCMDID),
    (Command.SUBMIT_SM, replace(SUBMIT, destination=Address()), (), Status.ESME_RINVDSTADR),
    (Command.SUBMIT_SM, replace(SUBMIT, short_message=bytes(161)), (), Status.ESME_RINVMSGLEN),
    (Command.SUBMIT_SM, replace(SUBMIT, data_coding=8, short_message=bytes(142)), (), Status.ESME_RINVMSGLEN),
]


@pytest.mark.parametrize(("command", "body", "parameters", "status"), NOT_TAKEN)
async def test_what_the_gateway_does_not_do_is_told(
    command: Command, body: smpp.Body, parameters: tuple[Parameter, ...], status: Status
) -> None:
    async with Business() as bench:
        platform: Any = bench.platform._gateway
        heard = list[int]()
        platform._answered = lambda _sequence, answer: heard.append(answer.status)
        platform._session.ask(command, body, bench.clock.now(), *parameters)
        platform._driven.settle()
        await bench.settle()
        assert heard == [status]
        assert bench.smsc.got == []


#: the content rule of the gateway refuses a damaged header, which the SMSC refuses by esm_class
_CONTENT = {"a damaged header": Status.ESME_RSUBMITFAIL}


@pytest.mark.parametrize("case", NOT_ALLOWED)
async def test_submit_sm_that_is_not_allowed_is_refused_by_its_status(case: str) -> None:
    fields, parameters, status = NOT_ALLOWED[case]
    async with Business() as bench:
        answer = await ask(bench, bench.platform, replace(SUBMIT, **fields), *parameters)
        assert Status(answer.status) is _CONTENT.get(case, status)
        assert bench.smsc.got == []


@pytest.mark.parametrize("case", TEXTS)
async def test_text_goes_on_with_its_coding(case: str) -> None:
    fields, parameters, octets = TEXTS[case]
    async with Business() as bench:
        body = replace(SUBMIT, **fields)
        assert (await ask(bench, bench.platform, body, *parameters)).status == 0
        (got,) = bench.smsc.got
        assert (got.data_coding, got.esm_class, got.short_message) == (body.data_coding, 0, octets)


async def test_segments_go_on_with_a_header_when_all_are_there() -> None:
    async with Business() as bench:
        for at in (2, 1):
            body = replace(SUBMIT, short_message=f"part {at}".encode())
            assert (await ask(bench, bench.platform, body, REFERENCE, TOTAL, number(at))).status == 0
            assert len(bench.smsc.got) == (2 if at == 1 else 0)
        contents = [(each.esm_class, each.short_message) for each in bench.smsc.got]
        assert contents == [(smpp.UDHI, bytes((5, 0, 3, 7, 2, at)) + f"part {at}".encode()) for at in (1, 2)]


async def test_scheduled_message_goes_on_with_its_time() -> None:
    async with Business() as bench:
        assert await bench.submit(schedule="260302180000032+") == "accepted"
        assert await bench.submit(schedule="000000020000000R", validity="000000030000000R") == "accepted"
        assert await bench.submit() == "accepted"
        times = [(each.schedule_delivery_time, each.validity_period) for each in bench.smsc.got]
        assert times == [
            ("260302100000000+", "260303100000000+"),
            ("260302100000000+", "260302110000000+"),
            ("", "260303080000000+"),
        ]


async def test_store_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "store")
    with upgraded_store(url, METADATA, "scheduled", id=3, state="waiting") as engine:
        assert [(each.id, each.scheduled) for each in Store(engine).messages()] == [(3, 0.0)]


async def test_message_whose_validity_is_past_ends_as_expired() -> None:
    async with Business() as bench:
        assert await bench.submit(validity="200101000000000+") == "accepted"
        assert bench.receipts() == ["EXPIRED"]
        assert bench.smsc.got == []
        assert bench.gateway.core.messages == {}


async def test_a_parameter_that_changes_nothing_is_not_handed_on() -> None:
    async with Business() as bench:
        platform: Any = bench.platform._gateway
        heard = list[int]()
        platform._answered = lambda _sequence, answer: heard.append(answer.status)
        own = Parameter(Tag.USER_MESSAGE_REFERENCE, b"\x12\x34"), Parameter(Tag.RECEIPTED_MESSAGE_ID, b"7\0")
        platform._session.ask(Command.SUBMIT_SM, SUBMIT, bench.clock.now(), *own)
        platform._driven.settle()
        await bench.settle()
        assert heard == [0]
        assert bench.smsc.references == [b"\0\1"]


async def test_who_has_several_codes_says_from_which() -> None:
    codes = {CODE: {"account": "waterworks"}, "10658000777": {"account": "waterworks"}}
    async with Business(codes=codes, platform={"code": ""}) as bench:
        assert await bench.submit() == "refused"
        assert await bench.submit(code=CODE) == "accepted"
        assert statuses(bench)[0] == Status.ESME_RINVSRCADR


async def test_parts_that_come_at_once_end_together() -> None:
    async with Business() as bench:
        parts = [replace(SUBMIT, esm_class=smpp.UDHI, short_message=bytes.fromhex(PART.format(n))) for n in (1, 2)]
        parts = [replace(parts[0], registered_delivery=1), replace(parts[1], protocol_id=127)]
        pdus = [smpp.Pdu(Command.SUBMIT_SM, 100 + at, 0, each) for at, each in enumerate(parts)]
        platform: Any = bench.platform._gateway
        platform._driven.link.send(b"".join(map(smpp.encode, pdus)))
        await bench.settle()
        assert statuses(bench) == [Status.ESME_RSUBMITFAIL, 0]  # that the first is kept is told after
        assert bench.receipts() == ["REJECTD"]
        assert bench.gateway.core.messages == {}
        assert bench.gateway.core.customers["waterworks"].waiting == 0


async def test_what_a_deleted_customer_has_submitted_is_over_in_its_time(store_url: str) -> None:
    async with Business(store=store_url, smsc="") as bench:
        assert await bench.submit() == "accepted"
        assert await bench.submit(octets="41", header=PART.format(1)) == "accepted"
        await bench.call("DELETE", "/accounts/waterworks")
        await bench.host.stop("sms_gateway", kill=True)
        await bench.host.start("sms_gateway")
        await bench.sleep(86_410)
        assert bench.states()[-2:] == ["expired", "expired"]
        assert bench.gateway.core.messages == {}
        assert bench.gateway.core.store.messages() == []


async def test_a_receipt_that_comes_before_the_answer_ends_a_message_once() -> None:
    async with Business() as bench:
        bound = bench.smsc.bound[0]
        waits = list[smpp.Pdu]()
        bound.submitted = waits.append  # type: ignore[method-assign,assignment]
        assert await bench.submit() == "accepted"
        bench.smsc.got.append(SUBMIT)
        bench.smsc.report(1, MessageState.DELIVERED, "000", Parameter(Tag.USER_MESSAGE_REFERENCE, b"\0\1"))
        await bench.settle()
        bound.session.answer(waits[0], 0, smpp.MessageId("c1"))
        bound.driven.settle()
        await bench.settle()
        assert bench.receipts() == ["DELIVRD"]
        assert bench.states("0000000001") == ["waiting", "delivered"]
        assert bench.gateway.core.by_centre_id == {}


async def test_an_answer_that_says_nothing_is_none() -> None:
    """A generic_nack without an error (SMPP 3.4 4.3) names no message."""
    async with Business() as bench:
        bound = bench.smsc.bound[0]
        submitted = bound.submitted

        def nothing(pdu: smpp.Pdu) -> None:
            bound.submitted = submitted  # type: ignore[method-assign]
            bound.session._send(smpp.Pdu(Command.GENERIC_NACK, pdu.sequence))

        bound.submitted = nothing  # type: ignore[method-assign]
        assert await bench.submit() == "accepted"
        assert bench.states() == ["waiting"]
        await bench.sleep(11)
        assert bench.states() == ["waiting", "forwarded"]


@pytest.mark.parametrize(("state", "word"), [(MessageState.DELIVERED, []), (MessageState.UNDELIVERABLE, ["UNDELIV"])])
async def test_who_wants_receipts_of_failures_gets_those(state: MessageState, word: list[str]) -> None:
    async with Business() as bench:
        assert await bench.submit(receipt="failure") == "accepted"
        assert bench.smsc.got[0].registered_delivery == 1
        bench.smsc.report(1, state)
        await bench.settle()
        assert bench.receipts() == word
        assert bench.smsc.answered == [0]
        assert bench.gateway.core.messages == {}


async def test_that_there_is_no_smsc_is_noted_with_each_longer_pause() -> None:
    async with Business() as bench:
        await bench.host.stop("sms_gateway", kill=True)
        await bench.host.stop("smsc", kill=True)
        await bench.host.start("sms_gateway")
        await bench.sleep(3600)
        assert sum(each.startswith("no connection to the SMSC") for each in bench.notes()) == 6


async def test_smsc_is_bound_again_within_the_longest_pause() -> None:
    async with Business(retry="1 s", retry_longest="2 s") as bench:
        await bench.host.stop("smsc", kill=True)
        await bench.sleep(3600)
        await bench.host.start("smsc")
        await bench.sleep(2)
        assert len(bench.smsc.binds) == 1
        assert [each.partition("; ")[2] for each in bench.notes() if "the next try" in each] == [
            f"the next try is in {seconds} s" for seconds in (1, 2)
        ]


async def test_a_code_that_is_nobodys_is_not_the_operators_own_though_its_rule_is_broken() -> None:
    async with Business(switches={"sms.code": "always-admit", "fn.sms.directed": "always-admit"}) as bench:
        assert await bench.submit(code="10658000555", **BINARY) == "refused"
        assert bench.verdicts("sms.content")[-1] is False
