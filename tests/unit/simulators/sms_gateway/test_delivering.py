"""Messages of cards on their way to platforms, receipts, and what becomes of both while nobody is bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from business import APPROVAL, CODE, IMSI, MSISDN, OTHER_CODE, OTHER_MSISDN, Business, provision

from simulators.sms_gateway.procedures.handing import not_handed
from simwarden.policy.numbers import party
from simwarden.runtime.store import StoreUnavailableError, sqlite_url
from simwarden.trace.events import Frame
from simwarden.wire import cmpp, smpp
from simwarden.wire.smpp import Address, Command, MessageState, Parameter, Status, Tag

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from simulators.sms_gateway.messages import Message

CARD = f"+{MSISDN}"


async def test_a_cards_message_reaches_the_owner_of_the_code_alone() -> None:
    async with Business() as bench:
        bench.smsc.deliver(CARD, CODE, b"17 kWh")
        await bench.settle()
        assert bench.smsc.answered == [0]
        assert bench.observed("message", element="platform") == [{"sender": MSISDN[2:], "code": CODE, "text": "17 kWh"}]
        assert bench.texts("heating") == []


@pytest.mark.parametrize(
    ("source", "destination", "status", "control"),
    [
        (CARD, "10658000124", Status.ESME_RINVDSTADR, "sms.code"),
        (CARD, "13800000000", Status.ESME_RINVDSTADR, "sms.code"),
        (CARD, f"+{OTHER_MSISDN}", Status.ESME_RINVDSTADR, "sms.code"),
        (CARD, OTHER_CODE, Status.ESME_RINVSRCADR, "sms.owner"),
        ("+8613800000000", CODE, Status.ESME_RINVSRCADR, "sms.owner"),
        ("BANK", CODE, Status.ESME_RINVSRCADR, "sms.owner"),
    ],
)
async def test_other_messages_of_cards_arrive_nowhere(source: str, destination: str, status: int, control: str) -> None:
    async with Business() as bench:
        bench.smsc.deliver(source, destination, b"x")
        await bench.settle()
        assert bench.smsc.answered == [status]
        assert bench.verdicts(control)[-1] is False
        assert bench.texts() + bench.texts("heating") == []


async def test_a_number_that_a_card_has_no_more_is_nobodys() -> None:
    async with Business() as bench:
        await bench.call("PUT", f"/cards/{IMSI}", provision(msisdn="8614400000033"))
        assert await bench.submit(CARD) == "refused"
        bench.smsc.deliver(CARD, CODE, b"x")
        await bench.settle()
        assert bench.smsc.answered == [Status.ESME_RINVSRCADR]
        assert await bench.submit("+8614400000033") == "accepted"


async def test_a_card_writes_only_to_codes_of_its_list() -> None:
    async with Business() as bench:
        await bench.call("DELETE", f"/cards/{IMSI}/sms", APPROVAL)
        bench.smsc.deliver(CARD, CODE, b"x")
        await bench.settle()
        assert bench.smsc.answered == [Status.ESME_RINVDSTADR]
        judged = [each for each in bench.decisions("fn.sms.directed") if each.occasion == "deliver"]
        assert [each.admitted for each in judged] == [False]


async def test_messages_wait_while_the_platform_is_not_bound(tmp_path: Path) -> None:
    async with Business(store=sqlite_url(tmp_path / "store")) as bench:
        await bench.do("platform", "unbind_platform", platform="platform")
        for number in range(3):
            bench.smsc.deliver(CARD, CODE, b"%d" % number)
        await bench.settle()
        assert bench.smsc.answered == [0, 0, 0]
        await bench.host.stop("sms_gateway", kill=True)
        await bench.host.start("sms_gateway")
        assert await bench.do("platform", "bind_platform", platform="platform") == "bound"
        assert bench.texts() == ["0", "1", "2"]
        assert bench.gateway.core.messages == {}


async def test_so_many_messages_wait_and_further_ones_are_told_to_come_later() -> None:
    async with Business(customers={"queue": "2"}) as bench:
        await bench.do("platform", "unbind_platform", platform="platform")
        for _ in range(3):
            bench.smsc.deliver(CARD, CODE, b"x")
            await bench.settle()
        assert bench.smsc.answered == [0, 0, Status.ESME_RX_T_APPN]
        assert "a card's message finds no room" in bench.notes()


async def test_a_transmitter_is_handed_nothing() -> None:
    async with Business(platform={"bind": "transmitter"}) as bench:
        assert await bench.submit() == "accepted"
        bench.smsc.report(1)
        bench.smsc.deliver(CARD, CODE, b"17 kWh")
        await bench.settle()
        assert bench.receipts() + bench.texts() == []
        assert len(bench.gateway.core.customers["waterworks"].queued) == 2


async def test_a_receiver_submits_nothing() -> None:
    async with Business(platform={"bind": "receiver"}) as bench:
        bench.smsc.deliver(CARD, CODE, b"17 kWh")
        await bench.settle()
        assert bench.texts() == ["17 kWh"]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (MessageState.DELIVERED, ["DELIVRD"]),
        (MessageState.EXPIRED, ["EXPIRED"]),
        (MessageState.UNDELIVERABLE, ["UNDELIV"]),
        (MessageState.REJECTED, ["REJECTD"]),
        (MessageState.DELETED, ["REJECTD"]),
        (MessageState.UNKNOWN, ["UNKNOWN"]),
        (MessageState.ENROUTE, []),
        (MessageState.ACCEPTED, []),
    ],
)
async def test_each_receipt_is_told_in_the_common_form(state: MessageState, word: list[str]) -> None:
    async with Business() as bench:
        await bench.submit()
        bench.smsc.report(1, state, "042")
        await bench.settle()
        assert bench.receipts() == word
        assert [each["error"] for each in bench.observed("receipt")] == ["042"] * len(word)
        told = [each.data for each in bench.of(Frame) if each.interface == "SMPP" and each.target == "platform"]
        assert [b"dlvrd:001" in each for each in told if b"dlvrd:" in each] == [state == MessageState.DELIVERED] * len(
            word
        )
        assert bench.smsc.answered == [0]


async def test_a_receipt_is_about_the_message_that_its_parameter_names() -> None:
    """Where there is one (SMPP 3.4 5.3.2.12): the text is for people, and has the number in whatever form."""
    async with Business() as bench:
        await bench.submit()
        about = bench.smsc.got[0]
        text = b"id:0000000099 submit date:2603020800 done date:2603020800 stat:DELIVRD err:000 text:"
        receipt = smpp.ShortMessage(
            source=about.destination, destination=about.source, esm_class=smpp.RECEIPT, short_message=text
        )
        named = smpp.Parameter(smpp.Tag.RECEIPTED_MESSAGE_ID, b"c1\0")
        bound = bench.smsc.bound[0]
        bound.session.ask(smpp.Command.DELIVER_SM, receipt, bench.smsc.site.clock.now(), named)
        bound.driven.settle()
        await bench.settle()
        assert bench.receipts() == ["DELIVRD"]


async def test_a_receipt_goes_to_who_submitted_though_the_code_is_another_customers_now() -> None:
    async with Business(keeper="cmp", list_age="1 day") as bench:
        codes = {CODE: {"account": "waterworks"}}
        await bench.call("PUT", "/codes", {"version": 1, "codes": codes})
        await bench.submit()
        change = {"code": CODE, "allocated": {"account": "heating"}}
        await bench.call("POST", "/codes", {"since": 1, "version": 2, "changes": [change]})
        bench.smsc.report(1)
        await bench.settle()
        assert (bench.receipts(), bench.receipts("heating")) == (["DELIVRD"], [])


async def test_a_long_message_of_a_card_is_put_together_at_the_platform() -> None:
    async with Business() as bench:
        for number in (2, 1):
            bench.smsc.deliver(CARD, CODE, bytes.fromhex(f"05000307020{number}4{number}"), esm_class=smpp.UDHI)
        await bench.settle()
        assert bench.texts() == ["AB"]


async def test_a_receipt_that_cannot_be_read_or_is_of_nobodys_message_harms_nothing() -> None:
    async with Business() as bench:
        for text in (b"nonsense", b"id:c9 submit date:2603020800 done date:2603020800 stat:DELIVRD"):
            bench.smsc.deliver(CARD, CODE, text, esm_class=smpp.RECEIPT)
        bench.smsc.deliver(CARD, CODE, b"x", esm_class=0x08)
        await bench.settle()
        assert bench.smsc.answered == [Status.ESME_RX_P_APPN, 0, Status.ESME_RINVESMCLASS]
        assert bench.receipts() + bench.texts() == []


async def test_the_gateway_binds_again_when_the_smsc_is_back() -> None:
    async with Business() as bench:
        await bench.host.stop("smsc", kill=True)
        assert await bench.submit() == "accepted"
        await bench.host.start("smsc")
        await bench.sleep(11)
        assert [each.system_id for each in bench.smsc.binds] == ["gateway"]
        assert len(bench.smsc.got) == 1


async def test_what_was_acknowledged_survives_a_killed_gateway(tmp_path: Path) -> None:
    async with Business(store=sqlite_url(tmp_path / "store"), smsc="") as bench:
        assert await bench.submit() == "accepted"
        assert await bench.submit(octets="41", header="050003070201") == "accepted"
        await bench.host.stop("sms_gateway", kill=True)
        bench.gateway.config = bench.gateway.config.model_copy(update={"smsc": "smsc"})
        await bench.host.start("sms_gateway")
        await bench.sleep(11)
        assert [each.short_message for each in bench.smsc.got] == [b"read your meter"]
        assert await bench.submit(octets="42", header="050003070202") == "accepted"
        assert [each.short_message[-1:] for each in bench.smsc.got[1:]] == [b"A", b"B"]
        bench.smsc.report(1)
        await bench.settle()
        assert bench.observed("receipt")[-1]["id"] == "0000000001"


async def test_a_receipt_finds_its_message_after_a_killed_gateway(tmp_path: Path) -> None:
    async with Business(store=sqlite_url(tmp_path / "store")) as bench:
        assert await bench.submit() == "accepted"
        await bench.host.stop("sms_gateway", kill=True)
        await bench.host.start("sms_gateway")
        await bench.sleep(11)
        bench.smsc.got = bench.smsc.got[:1]
        bench.smsc.report(1)
        await bench.settle()
        assert bench.receipts() == ["DELIVRD"]
        assert await bench.submit() == "accepted"
        assert bench.observed("message", element="sms_gateway")[-1]["id"] != "0000000001"


@pytest.mark.parametrize("platform", [{}, {"protocol": "cmpp", "source_addr": "901234", "secret": "shared"}])
async def test_a_platform_takes_messages_for_its_own_code_alone(platform: dict[str, str]) -> None:
    async with Business(platform={**platform, "code": f"+86{CODE}"}) as bench:
        bench.gateway.core.codes[party("10658000777")] = bench.gateway.core.codes[party(CODE)]
        numbers = {"account": "waterworks", "numbers": [CODE, "10658000777"]}
        await bench.call("PUT", f"/cards/{IMSI}/sms", {**numbers, **APPROVAL})
        for code in ("10658000777", CODE):
            bench.smsc.deliver(CARD, code, b"x")
            await bench.settle()
        assert bench.verdicts("platform.code") == [False, True]
        assert bench.texts() == ["x"]
        assert [each["state"] for each in bench.observed("message", element="sms_gateway")].count("rejected") == 1
        assert bench.gateway.core.messages == {}


async def test_a_message_that_no_card_can_have_sent_is_refused() -> None:
    async with Business() as bench:
        bench.smsc.deliver(CARD, CODE, bytes(161))
        bench.smsc.deliver(CARD, CODE, bytes(141), data_coding=8)
        await bench.settle()
        assert bench.smsc.answered == [Status.ESME_RX_P_APPN] * 2


async def test_nothing_is_acknowledged_while_the_database_is_away_and_no_receipt_is_lost() -> None:
    async with Business(retry="5") as bench:
        assert await bench.submit() == "accepted"
        store = bench.gateway.core.store
        write = store.write
        store.write = away  # type: ignore[method-assign, assignment]  # the database goes
        assert await bench.submit() == "refused"
        bench.smsc.deliver(CARD, CODE, b"17 kWh")
        bench.smsc.report(1)
        await bench.settle()
        assert bench.smsc.answered == [Status.ESME_RX_T_APPN]
        assert bench.texts() + bench.receipts() == []
        assert bench.gateway.core.customers["waterworks"].waiting == 0
        store.write = write  # type: ignore[method-assign]  # and comes back
        await bench.sleep(6)
        assert bench.receipts() == ["DELIVRD"]
        assert bench.smsc.answered == [Status.ESME_RX_T_APPN, 0]
        assert store.messages() == []


async def test_a_receipt_whose_commit_was_not_answered_is_kept_once() -> None:
    async with Business(retry="5") as bench:
        assert await bench.submit() == "accepted"
        store = bench.gateway.core.store
        write = store.write

        def unanswered(*rows: Iterable[Message]) -> None:
            write(*rows)
            raise StoreUnavailableError("the connection was lost after the commit")

        store.write = unanswered  # type: ignore[method-assign, assignment]
        bench.smsc.report(1)
        await bench.settle()
        assert bench.receipts() == []
        store.write = write  # type: ignore[method-assign]
        await bench.sleep(60)
        assert bench.receipts() == ["DELIVRD"]
        assert (bench.smsc.answered, store.messages()) == ([0], [])


def away(*_arguments: object) -> None:
    """Stand for a database that does not answer."""
    raise StoreUnavailableError("the database does not answer")


@pytest.mark.parametrize("busy", [True, False])
async def test_a_cards_message_that_waits_goes_to_no_former_owner(*, busy: bool) -> None:
    async with Business(platform={"at_start": "no"} if not busy else {}) as bench:
        if busy:
            for bind in bench.gateway.core.customers["waterworks"].binds:
                bind.hand = lambda message: not_handed(bench.gateway.core, message, unanswered=False)  # type: ignore[method-assign]
        bench.smsc.deliver(CARD, CODE, b"17 kWh")
        await bench.settle()
        await bench.call("PUT", f"/cards/{IMSI}/sms", {"account": "heating", "numbers": [CODE], **APPROVAL})
        await bench.sleep(30)
        await bench.do("platform", "bind_platform", platform="platform")
        await bench.settle()
        assert bench.texts() == []
        judged = [each for each in bench.decisions("sms.owner") if each.occasion == "deliver"]
        assert not judged[-1].admitted
        assert bench.gateway.core.messages == {}


@pytest.mark.parametrize(
    ("command", "body", "answered"),
    [
        (Command.DATA_SM, smpp.DataSm(source=Address(MSISDN, 1, 1), destination=Address(CODE)), True),
        (Command.ALERT_NOTIFICATION, smpp.Alert(source=Address(MSISDN, 1, 1), esme=Address("gateway")), False),
    ],
)
async def test_of_an_smsc_it_takes_deliver_sm_alone(command: Command, body: smpp.Body, *, answered: bool) -> None:
    async with Business() as bench:
        bound = bench.smsc.bound[0]
        bound.session.ask(command, body, bench.smsc.site.clock.now())
        bound.driven.settle()
        await bench.settle()
        assert bench.smsc.answered == ([Status.ESME_RINVCMDID] if answered else [])
        bench.smsc.deliver(CARD, CODE, b"17 kWh")
        await bench.settle()
        assert bench.texts() == ["17 kWh"]


@pytest.mark.parametrize(("error", "told"), [("", "000"), ("-1", "000"), ("7", "007"), ("12345", "123")])
async def test_an_error_of_the_smsc_is_told_in_three_digits(error: str, told: str) -> None:
    async with Business() as bench:
        await bench.submit()
        bench.smsc.report(1, MessageState.UNDELIVERABLE, error)
        await bench.settle()
        assert [each["error"] for each in bench.observed("receipt")] == [told]


async def test_a_reference_means_a_message_that_waits_for_its_answer_alone() -> None:
    async with Business() as bench:
        await bench.do("platform", "unbind_platform", platform="platform")
        bench.smsc.deliver(CARD, CODE, b"17 kWh")  # the first, which waits for its platform
        await bench.settle()
        bench.smsc.got.append(smpp.ShortMessage(source=Address(CODE, 0, 1), destination=Address(MSISDN, 1, 1)))
        bench.smsc.report(1, MessageState.DELIVERED, "000", Parameter(Tag.USER_MESSAGE_REFERENCE, b"\0\1"))
        await bench.settle()
        assert "a receipt of the SMSC is about no message of ours" in bench.notes()
        await bench.do("platform", "bind_platform", platform="platform")
        assert bench.texts() == ["17 kWh"]
        assert await bench.submit() == "accepted"  # the second, which the SMSC has by its own id
        bench.smsc.report(1, MessageState.UNDELIVERABLE, "000", Parameter(Tag.USER_MESSAGE_REFERENCE, b"\0\2"))
        await bench.settle()
        assert bench.receipts() == []


@pytest.mark.parametrize(
    ("platform", "status"),
    [
        ({}, Status.ESME_RX_T_APPN),
        ({}, Status.ESME_RMSGQFUL),
        ({}, Status.ESME_RTHROTTLED),
        ({}, Status.ESME_RSYSERR),
        ({"protocol": "cmpp", "source_addr": "901234", "secret": "shared"}, cmpp.Result.FLOW_CONTROL_ERROR),
    ],
)
async def test_a_platform_that_is_busy_gets_a_message_later(platform: dict[str, str], status: Any) -> None:
    async with Business(platform=platform) as bench:
        gateway: Any = bench.platform._gateway
        session, busy = gateway._session, list[Any]()
        answer = session.answer

        def later(asked: Any, *given: Any) -> None:
            busy.append(asked)
            given = (cmpp.Delivered(0, status),) if platform else (status, smpp.MessageId())
            session.answer = answer
            answer(asked, *given)

        session.answer = later
        bench.smsc.deliver(CARD, CODE, b"17 kWh")
        await bench.settle()
        assert bench.states() == ["waiting"]
        await bench.sleep(11)
        assert bench.states() == ["waiting", "delivered"]
        assert bench.observed("message", element="sms_gateway")[-1]["repeated"] == 0
        assert len(busy) == 1


async def test_what_a_change_does_not_concern_is_not_judged_again() -> None:
    async with Business(platform={"at_start": "no"}, smsc="smsc") as bench:
        bench.smsc.deliver(CARD, CODE, b"17 kWh")
        bench.smsc.silent = True
        await bench.do("heating", "submit_message", platform="heating", to=f"+{OTHER_MSISDN}", text="read")
        await bench.settle()
        await bench.host.stop("smsc", kill=True)
        judged = len(bench.decisions("sms.code"))
        new = provision("001010000000033", "8614400000033")
        await bench.call("PUT", "/cards/001010000000033", new)
        assert len(bench.decisions("sms.code")) == judged


async def test_a_receipt_for_a_customer_that_is_gone_is_over() -> None:
    async with Business() as bench:
        await bench.submit()
        await bench.call("DELETE", "/accounts/waterworks")
        bench.smsc.report(1)
        await bench.settle()
        assert bench.smsc.answered == [0]
        assert bench.gateway.core.messages == {}
        assert bench.gateway.core.store.messages() == []


@pytest.mark.parametrize("bound", [True, False])
async def test_what_goes_to_a_customer_that_is_deleted_is_over(*, bound: bool) -> None:
    async with Business(platform={} if bound else {"at_start": "no"}) as bench:
        gateway: Any = bench.platform._gateway
        if bound:
            gateway._session.answer = lambda *_given: None
        bench.smsc.deliver(CARD, CODE, b"17 kWh")
        await bench.settle()
        await bench.call("DELETE", "/accounts/waterworks")
        await bench.settle()
        assert bench.states() == ["waiting", "rejected"]
        assert bench.gateway.core.messages == {}
        assert bench.gateway.core.store.messages() == []
