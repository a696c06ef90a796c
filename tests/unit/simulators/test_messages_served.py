"""Gateway, service centre and MME each in a process of its own, and the centre killed: nothing acknowledged is lost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from message_net import Net, net, submit
from smpp_sender import OUTSTANDING, Sender
from waiting import until

from simwarden.scenario.result import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from served import Served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs loopback addresses beside 127.0.0.1"),
]
CARDS, MESSAGES, BEFORE_THE_END = 4, 400, 150


def lead(where: Net, gateway: Served) -> None:
    """Write to the meters, kill the centre while it delivers, have it back, and tell a meter when all is over."""
    assert until(lambda: where.attached == CARDS)
    sender = Sender(gateway.where["SMPP"])
    with where.serve("smsc") as first:
        submit(sender, where.numbers, range(MESSAGES))
        assert until(lambda: len(where.received) >= BEFORE_THE_END)
        first.process.kill()
    assert len(where.received) < MESSAGES, "it was over before it was killed"
    with where.serve("smsc") as second:
        submit(sender, where.numbers, range(MESSAGES, MESSAGES + CARDS))
        assert until(lambda: len(where.received) == MESSAGES + CARDS)
        where.tell_the_end(sender)
        assert first.faults() + second.faults() + gateway.faults() == ""
    sender.close()


def test_the_centre_killed_between_gateway_and_mme(tmp_path: Path) -> None:
    with (
        net(tmp_path, CARDS) as where,
        where.serve("hss"),
        where.serve("mme") as mme,
        where.serve("sms_gateway") as gateway,
    ):
        result = where.run(mme, lambda: lead(where, gateway))
        assert result.verdict is Verdict.PASSED, result.failure
    assert set(where.received) == {str(each) for each in range(MESSAGES + CARDS)} | {"all told"}
    # twice came what a device had answered and the centre could not write any more, one message of a card at most, with
    # the same time stamp; what the gateway had no answer for is submitted again, and known by its reference where it
    # was still there
    times = [stamps for stamps in where.received.values() if len(stamps) > 1]
    attempts = sum(len(stamps) - len(set(stamps)) for stamps in times)
    submissions = sum(len(set(stamps)) - 1 for stamps in times)
    assert attempts <= CARDS
    assert submissions <= OUTSTANDING, (attempts, submissions)
