"""Every calendar begins its days and months by the operator's time zone: 16:00 UTC is midnight in China.

A run begins on 2 March 2026; each test goes to the last second of March in China, and into April.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from business import OTHER_CODE, OTHER_MSISDN, Business
from cmp_net import METER, PHONE
from cmp_net import Net as CmpNet
from credit_net import Net as CreditNet
from pcrf_net import INITIAL, UPDATE
from pcrf_net import Network as PcrfNet
from service_centre import LISTED, Network, submit
from voice_bench import IMSI as VOICE_IMSI
from voice_bench import LISTED as LINE
from voice_bench import VOICE, VoiceBench

from simwarden.runtime.clock import time_zone
from simwarden.testing.diameter import IMSI
from simwarden.trace.events import Frame
from simwarden.wire import cmpp, smpp
from simwarden.wire.sms import Deliver, SubmitReport, decode

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop
    from simwarden.testing import Bench

#: the last second of March in China
LAST = dt.datetime(2026, 3, 31, 15, 59, 59, tzinfo=dt.UTC)
APPROVED = {"approver": "Li Wei", "reason": "other platform", "form": "F-21"}


async def to_last_second(bench: Bench, utc_offset: float = 8) -> None:
    """Go to the last second of the month by an offset."""
    bench.clock.zone = time_zone(utc_offset)
    last = LAST + dt.timedelta(hours=8 - utc_offset)
    await bench.sleep((last - bench.clock.wall()).total_seconds())


@pytest.mark.parametrize("utc_offset", [8, 0, 5.5, -12, 14])
async def test_clock_begins_a_month_at_the_operators_midnight(utc_offset: float) -> None:
    async with Network() as bench:
        await to_last_second(bench, utc_offset)
        assert (bench.clock.month(), bench.clock.local().day) == ("2026-03", 31)
        await bench.sleep(1)
        assert (bench.clock.month(), f"{bench.clock.local():%d %H:%M}") == ("2026-04", "01 00:00")
        assert bench.clock.month(bench.clock.wall().timestamp() - 1) == "2026-03"


async def test_message_quota_of_the_smsc() -> None:
    async with Network() as bench:
        await bench.provision(LISTED | {"quota": 1})
        await to_last_second(bench)
        answers = [await bench.mme.submit(submit()) for _ in range(2)]
        assert [each.success for each in answers] == [True, False]
        assert (await bench.call("GET", f"/cards/{IMSI}"))["used"] == 1
        await bench.sleep(1)
        assert (await bench.call("GET", f"/cards/{IMSI}"))["used"] == 0
        assert (await bench.mme.submit(submit())).success
        await bench.sleep(9 * 3600)
        assert not (await bench.mme.submit(submit())).success


async def test_minutes_of_the_scp() -> None:
    async with VoiceBench() as bench:
        await bench.provision(VOICE | {"quota": 2})
        await to_last_second(bench)
        bench.scp.core.store.charge(VOICE_IMSI, bench.scp.core.month, units=1200)
        assert (await bench.call("GET", f"/cards/{VOICE_IMSI}"))["used"] == 120
        await bench.sleep(1)
        assert (await bench.call("GET", f"/cards/{VOICE_IMSI}"))["used"] == 0


@pytest.mark.parametrize(
    ("utc_offset", "hours", "causes"),
    [(8, "00:00-00:30", [21, None]), (8, "16:00-16:30", [21, 21]), (7, "23:00-23:30", [21, None])],
)
async def test_hours_of_use_of_the_scp(utc_offset: float, hours: str, causes: list[int | None]) -> None:
    async with VoiceBench() as bench:
        await bench.provision(VOICE | {"hours": hours})
        await to_last_second(bench)
        bench.clock.zone = time_zone(utc_offset)
        found = [(await bench.dial(LINE)).cause]
        await bench.sleep(1)
        assert [*found, (await bench.dial(LINE)).cause] == causes


async def test_quotas_of_the_ocs() -> None:
    async with CreditNet({"data": 1500}, validity="31 days") as bench:
        await to_last_second(bench)
        assert (bench.ocs.core.month, bench.ocs.core.validity()) == ("2026-03", 1)
        await bench.sleep(1)
        assert bench.ocs.core.month == "2026-04"


async def test_volume_after_which_the_pcrf_slows_a_card_down() -> None:
    async with PcrfNet({"slower": {"after": 1000, "rate": [8, 8]}}) as bench:
        await bench.provision()
        asked = [(f"APN-Aggregate-Max-Bitrate-{way}", 64_000) for way in ("UL", "DL")]
        await bench.pgw.ask(INITIAL, 0, "a", ("QoS-Information", asked))
        await to_last_second(bench)
        used = ("Usage-Monitoring-Information", [("Used-Service-Unit", [("CC-Total-Octets", 1000)])])
        march = await bench.pgw.ask(UPDATE, 1, "a", used)
        due = march.get("Revalidation-Time")
        assert (march.all("Event-Trigger")[-1], due) == (17, bench.clock.wall().timestamp() + 1)
        early = await bench.pgw.ask(UPDATE, 2, "a", ("Event-Trigger", 17))
        await bench.sleep(1)
        april = await bench.pgw.ask(UPDATE, 3, "a", ("Event-Trigger", 17))
        rates = [answer.find("QoS-Information", "APN-Aggregate-Max-Bitrate-UL") for answer in (march, early, april)]
        assert rates == [8000, 8000, 64_000]
        monitored = april.find("Usage-Monitoring-Information", "Granted-Service-Unit", "CC-Total-Octets")
        assert (monitored, april.get("Revalidation-Time"), april.all("Event-Trigger")[-1]) == (1000, None, 33)


async def test_changes_of_a_list_in_a_month() -> None:
    """All restrictions (lists, bindings, areas, quotas) are counted by one function."""
    async with Network(list_changes={"changes": 1}) as bench:
        await bench.provision(LISTED)
        await to_last_second(bench)
        path, change = f"/cards/{IMSI}/sms", LISTED | APPROVED
        await bench.call("PUT", path, change)
        assert await bench.refused("PUT", path, change) == 429
        await bench.sleep(1)
        await bench.call("PUT", path, change)
        await bench.sleep(9 * 3600)
        assert await bench.refused("PUT", path, change) == 429


async def test_day_whose_records_the_platform_judges(loop: TestbedLoop) -> None:
    async with CmpNet(loop, others={"check": "next-day"}, records_at=60) as bench:
        await bench.card(binding={"imei": METER})
        await to_last_second(bench)
        assert await bench.mme.allowed(PHONE)
        assert bench.cmp.platform.store.unjudged("2026-04-01") == ["2026-03-31"]
        await bench.sleep(1)
        assert "012" not in [each["scene"] for each in await bench.listed("/risks")]
        await bench.sleep(61)
        assert "012" in [each["scene"] for each in await bench.listed("/risks")]


async def test_time_stamps_of_tpdus() -> None:
    async with Network() as bench:
        await bench.provision(LISTED)
        await to_last_second(bench)
        report = decode((await bench.mme.submit(submit())).get("SM-RP-UI"), from_mobile=False)
        await bench.sleep(1)
        await bench.send()
        (delivered,) = bench.mme.tpdus
        assert isinstance(report, SubmitReport)
        assert isinstance(delivered, Deliver)
        stamps = [report.time_stamp.isoformat(), delivered.time_stamp.isoformat()]
        assert stamps == ["2026-03-31T23:59:59+08:00", "2026-04-01T00:00:00+08:00"]


def _contents(bench: Bench, element: str) -> list[bytes]:
    """Return the contents of deliver_sm that an element sent."""
    frames = [each.data for each in bench.of(Frame) if each.interface == "SMPP" and each.source == element]
    bodies = [pdu.body for pdu in map(smpp.decode, frames) if pdu.command is smpp.Command.DELIVER_SM]
    return [each.short_message for each in bodies if isinstance(each, smpp.ShortMessage)]


async def test_dates_of_receipts_of_the_smsc() -> None:
    async with Network() as bench:
        await bench.provision(LISTED)
        await to_last_second(bench)
        await bench.send(receipt="yes")
        (receipt,) = _contents(bench, "smsc")
        assert b"submit date:2603312359 done date:2603312359" in receipt


@pytest.mark.parametrize("utc_offset", [8, 7])
async def test_dates_and_ids_of_the_gateway(utc_offset: float) -> None:
    cmpp_platform: dict[str, Any] = {"protocol": "cmpp", "source_addr": "905678", "secret": "hidden", "code": ""}
    async with Business() as bench:
        await to_last_second(bench, utc_offset)
        bench.heating.config = bench.heating.config.model_copy(update=cmpp_platform)
        await bench.host.stop("heating")
        await bench.host.start("heating")
        assert bench.observed("bind", element="heating")[-1] == "bound"
        await bench.submit()
        await bench.submit(f"+{OTHER_MSISDN}", "heating", code=OTHER_CODE)
        for number in (1, 2):
            bench.smsc.report(number, smpp.MessageState.DELIVERED)
        await bench.settle()
        (receipt,) = _contents(bench, "sms_gateway")
        assert b"submit date:2603312359 done date:2603312359" in receipt
        frames = [cmpp.decode(each.data) for each in bench.of(Frame) if each.interface == "CMPP"]
        (report,) = [each.body for each in frames if isinstance(each.body, cmpp.Deliver)]
        (taken,) = [each.body for each in frames if isinstance(each.body, cmpp.Submitted)]
        found = cmpp.decode_report(report.msg_content)
        assert (found.submit_time, found.done_time) == ("2603312359", "2603312359")
        at = cmpp.MessageId.of(taken.msg_id)
        assert (at.month, at.day, at.hour, at.minute) == (3, 31, 23, 59)
