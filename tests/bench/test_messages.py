"""Messages of a platform into connected meters: gateway, service centre, HSS and MME, each a process.

A platform keeps 32 submit_sm without answer until all are accepted. Meters of a run, which is no part of what is
measured, take them over SGd, S1AP and ciphered NAS. What is asserted is that each came once; printed are rates by
processor time of the busiest process (a core's, whatever else the machine does) and of all that deliver, and latencies.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import figures
from message_net import message, net
from smpp_sender import Sender, drive
from waiting import until

from simwarden.scenario.result import Verdict

if TYPE_CHECKING:
    from pathlib import Path

CARDS, MESSAGES = 40, 2_000


def test_from_a_platform_into_devices(tmp_path: Path) -> None:
    with (
        net(tmp_path, CARDS) as where,
        where.serve("hss") as hss,
        where.serve("smsc") as smsc,
        where.serve("mme") as mme,
        where.serve("sms_gateway") as gateway,
    ):
        parts = {"gateway": gateway, "smsc": smsc, "mme": mme, "hss": hss}

        def lead() -> None:
            assert until(lambda: where.attached == CARDS)
            sender = Sender(gateway.where["SMPP"])
            before, begun = {name: each.cpu for name, each in parts.items()}, time.perf_counter()
            took = drive(sender, MESSAGES, lambda at: message(where.numbers[at % CARDS], str(at)))
            accepted = time.perf_counter() - begun
            assert until(lambda: len(where.received) == MESSAGES, 300)
            over = time.perf_counter() - begun
            spent = {name: (each.cpu - before[name]) / MESSAGES * 1e3 for name, each in parts.items()}
            where.tell_the_end(sender)
            sender.close()
            tell(took, spent, accepted, over)

        result = where.run(mme, lead)
        assert result.verdict is Verdict.PASSED, result.failure
        assert gateway.faults() + smsc.faults() + hss.faults() == ""
    assert {len(stamps) for stamps in where.received.values()} == {1}


def tell(took: list[float], spent: dict[str, float], accepted: float, over: float) -> None:
    p50, p99 = took[MESSAGES // 2], took[MESSAGES * 99 // 100]
    shares = ", ".join(f"{name} {each:.2f} ms" for name, each in spent.items())
    figures.tell("a message from the platform into a device", shares)
    taken, by_the_clock = max(spent["gateway"], spent["smsc"]), f"{MESSAGES / accepted:,.0f}/s by the clock"
    figures.tell(
        "messages through gateway and service centre",
        f"{1e3 / taken:,.0f}/s, {by_the_clock}, p50 {p50:.1f} ms, p99 {p99:.1f} ms",
    )
    delivering = [spent[name] for name in ("smsc", "mme", "hss")]
    busiest, one = 1e3 / max(delivering), 1e3 / sum(delivering)
    figures.tell(
        "messages into connected devices",
        f"{busiest:,.0f}/s, on one core {one:,.0f}/s, by the clock {MESSAGES / over:,.0f}/s",
    )
