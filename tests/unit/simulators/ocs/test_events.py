"""Messages by Ro: one event a message, all of its units or none."""

from __future__ import annotations

import pytest
from charging import REALM
from credit_net import CHECK, DEBIT, GROUPS, PRICE, REFUND, SMS, Net

S = f"smsc.{REALM};1;"


async def test_units_are_debited_until_the_quota_is_used() -> None:
    async with Net({"sms": 3}) as net:
        told = [await net.pgw.event(f"{S}1", DEBIT, 2), await net.pgw.event(f"{S}2", DEBIT, 2)]
        told.append(await net.pgw.event(f"{S}3", DEBIT))
        assert [each.result_code for each in told] == [2001, 4012, 2001]
        assert told[0].find(GROUPS, "Granted-Service-Unit", "CC-Service-Specific-Units") == 2
        assert await net.used("sms") == 3
    assert net.verdicts("ocs.sms") == [True, False, True]


async def test_a_repeated_event_counts_once() -> None:
    async with Net({"sms": 3}) as net:
        answer = await net.pgw.event(f"{S}1", DEBIT)
        assert (await net.pgw.event(f"{S}1", DEBIT)).avps == answer.avps
        assert await net.used("sms") == 1
        for _ in range(2):
            await net.pgw.event(f"{S}1;refund", REFUND)
        assert await net.used("sms") == 0


async def test_no_more_is_given_back_than_was_counted() -> None:
    async with Net({"sms": 5}) as net:
        await net.pgw.event(f"{S}1", DEBIT, 2)
        await net.pgw.event(f"{S}2", REFUND, 200)
        assert await net.used("sms") == 0
        other = [("Event-Timestamp", int(net.clock.wall().timestamp()) - 40 * 86_400)]
        await net.pgw.event(f"{S}3", DEBIT, 2)
        await net.pgw.event(f"{S}4", REFUND, 2, more=other)  # of a month in which there was nothing
        assert await net.used("sms") == 2


async def test_a_check_moves_nothing_and_a_price_is_not_told() -> None:
    async with Net({"sms": 2}) as net:
        enough = await net.pgw.event(f"{S}1", CHECK, 2)
        short = await net.pgw.event(f"{S}2", CHECK, 3)
        assert [each.get("Check-Balance-Result") for each in (enough, short)] == [0, 1]
        assert (await net.pgw.event(f"{S}3", PRICE)).result_code == 5031
        assert (await net.pgw.event(f"{S}4", DEBIT, 256)).result_code == 5031
        assert await net.used("sms") == 0


@pytest.mark.parametrize("kind", [1, 2])
async def test_messages_have_no_session(kind: int) -> None:
    async with Net({"sms": 2}) as net:
        told = await net.pgw.ccr(f"{S}1", kind, 0, context=SMS)
        assert told.result_code == (5031 if kind == 1 else 5002)
