"""What the gateway has the SMSC take back, and what it submits again: by the same reference, ended by one receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from business import APPROVAL, CODE, IMSI, MSISDN, OTA_CODE, Business, provision

from simwarden.runtime.store import sqlite_url
from simwarden.wire.smpp import Address, Cancel, MessageState, Parameter, ShortMessage, Status, Tag

if TYPE_CHECKING:
    from pathlib import Path

TO = Address(MSISDN, 1, 1)
SOLD = {"account": "heating", "numbers": [CODE], **APPROVAL}
KEPT = {"account": "waterworks", "numbers": [CODE, OTA_CODE], **APPROVAL}


def taken_back(bench: Business) -> list[tuple[str, Address]]:
    return [(each.source.number, each.destination) for each in bench.smsc.cancelled]


async def change(bench: Business, body: dict[str, Any] = SOLD) -> None:
    await bench.call("PUT", f"/cards/{IMSI}/sms", body)
    await bench.settle()


@pytest.mark.parametrize("receipt", [True, False])
async def test_of_a_sold_card_the_smsc_takes_back_all_that_waits(*, receipt: bool) -> None:
    async with Business() as bench:
        await bench.submit(receipt=receipt)
        await change(bench)
        assert taken_back(bench) == ([(CODE, TO), (OTA_CODE, TO)] if receipt else [(OTA_CODE, TO), (CODE, TO)])
        assert Cancel(source=Address(CODE, 0, 1), destination=TO) in bench.smsc.cancelled
        assert bench.receipts() == []  # the SMSC says what became of it
        if receipt:
            bench.smsc.report(1, MessageState.DELETED)
            await bench.settle()
            assert bench.receipts() == ["REJECTD"]
        assert bench.gateway.core.messages == {}


async def test_what_was_taken_back_once_is_taken_back_again() -> None:
    async with Business(list_changes={"changes": 3}) as bench:
        await change(bench)
        await change(bench, KEPT)
        before = len(bench.smsc.cancelled)
        await change(bench)
        assert taken_back(bench)[before:] == [(OTA_CODE, TO), (CODE, TO)]


async def test_of_a_card_without_a_number_nothing_waits_at_the_smsc() -> None:
    async with Business() as bench:
        await bench.call("PUT", f"/cards/{IMSI}", provision(msisdn=""))
        await bench.settle()
        bench.smsc.cancelled.clear()
        await change(bench)
        assert bench.smsc.cancelled == []


async def test_a_list_that_loses_a_code_takes_back_by_that_code_alone() -> None:
    async with Business() as bench:
        await change(bench, {**KEPT, "numbers": [CODE]})
        assert taken_back(bench) == [(OTA_CODE, TO)]
        await change(bench, {**KEPT, "numbers": [CODE, "10658000777"]})
        assert taken_back(bench) == [(OTA_CODE, TO)]
        assert bench.gateway.core.messages == {}


async def test_what_changes_while_a_message_is_on_its_way_takes_it_back_when_it_is_there() -> None:
    async with Business() as bench:
        bench.smsc.silent = True
        await bench.submit()
        await change(bench)
        bench.smsc.silent = False
        await bench.sleep(25)  # the answer never came, and it is judged again
        assert bench.receipts() == ["REJECTD"]
        assert bench.smsc.got == []


async def test_what_is_under_way_to_its_device_is_asked_for_again_until_it_is_over() -> None:
    async with Business() as bench:
        bench.smsc.cancels = [Status.ESME_RCANCELFAIL, 0, Status.ESME_RCANCELFAIL, Status.ESME_RINVMSGID]
        await change(bench)
        assert len(bench.smsc.cancelled) == 2
        await bench.sleep(10)
        assert len(bench.smsc.cancelled) == 3
        await bench.sleep(10)
        assert [each.source.number for each in bench.smsc.cancelled] == [OTA_CODE, CODE, OTA_CODE, OTA_CODE]
        await bench.sleep(60)
        assert len(bench.smsc.cancelled) == 4


@pytest.mark.parametrize("status", [Status.ESME_RINVCMDID, Status.ESME_RCANCELFAIL])
async def test_an_smsc_that_takes_nothing_back_is_not_asked_for_ever(status: Status) -> None:
    async with Business() as bench:
        bench.smsc.cancels = [status] * 100
        await change(bench, {**KEPT, "numbers": [CODE]})
        await bench.sleep(1000)
        assert len(bench.smsc.cancelled) == (1 if status is Status.ESME_RINVCMDID else 11)
        assert bench.gateway.core.messages == {}


async def test_an_smsc_that_is_away_is_asked_when_it_is_back_and_by_a_gateway_that_was_killed(tmp_path: Path) -> None:
    async with Business(store=sqlite_url(tmp_path / "gateway.db")) as bench:
        await bench.host.stop("smsc", kill=True)
        await change(bench)
        await bench.host.stop("sms_gateway", kill=True)
        await bench.host.start("smsc")
        await bench.host.start("sms_gateway")
        await bench.sleep(20)
        assert taken_back(bench) == [(OTA_CODE, TO), (CODE, TO)]
        await bench.host.stop("sms_gateway", kill=True)
        await bench.host.start("sms_gateway")
        await bench.sleep(20)
        assert len(bench.smsc.cancelled) == 2


async def test_a_gateway_without_an_smsc_asks_nobody() -> None:
    async with Business(smsc="") as bench:
        await change(bench)
        assert bench.gateway.core.messages == {}


# -- submitted again


async def test_what_is_submitted_again_has_the_same_reference() -> None:
    async with Business() as bench:
        script, told = bench.smsc.script, list[int]()

        def busy(_message: object) -> int:
            told.append(1)
            return Status.ESME_RTHROTTLED if len(told) == 1 else 0

        bench.smsc.script = busy
        await bench.submit()
        await bench.submit()
        await bench.sleep(30)
        assert bench.smsc.references == [b"\0\2", b"\0\1"]
        bench.smsc.script = script


async def test_a_receipt_ends_a_message_whose_submission_was_never_answered() -> None:
    async with Business() as bench:
        bench.smsc.silent = True
        await bench.submit()
        await bench.settle()
        bench.smsc.got.append(ShortMessage(source=Address(CODE, 0, 1), destination=TO))
        reference = Parameter(Tag.USER_MESSAGE_REFERENCE, b"\0\1")
        bench.smsc.report(1, MessageState.DELIVERED, "000", Parameter(Tag.USER_MESSAGE_REFERENCE, b"\0\\9"))
        await bench.settle()
        assert bench.receipts() == []
        bench.smsc.report(1, MessageState.DELIVERED, "000", reference)
        await bench.settle()
        assert bench.receipts() == ["DELIVRD"]
        bench.smsc.silent = False
        await bench.sleep(60)
        assert len(bench.smsc.got) == 1  # it is not submitted once more
        assert bench.gateway.core.messages == {}
