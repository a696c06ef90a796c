"""What a served element writes to standard error: levels, fields, and two forms of a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from simulators.hss.controls import GIVEN
from simulators.pcrf.controls import LIST
from simwarden.cli.options import Level, LogForm
from simwarden.cli.serving_log import MOST, Log
from simwarden.policy.decision import Decision, Verdict
from simwarden.runtime.clock import Clock
from simwarden.runtime.loop import TestbedLoop
from simwarden.trace.events import Decided, Fault, Note, PeerFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simwarden.trace.events import Event

HOSTILE = "\x1b[2J\n2026-01-01T00:00:00Z fault in hss: x" + "y" * 9000
IMSI = "001010000000001"


@pytest.fixture
def loop() -> Iterator[TestbedLoop]:
    made = TestbedLoop(virtual=True)
    yield made
    made.close()


@pytest.fixture
def clock(loop: TestbedLoop) -> Clock:
    return Clock(loop)


def decided(*, admitted: bool) -> Event:
    verdict = Verdict.ADMIT if admitted else Verdict.REFUSE
    return Decided(element="hss", decision=Decision(GIVEN, verdict, "another IMEI", IMSI))


EVENTS: tuple[Event, ...] = (
    Note(element="hss", text="a link is up", fields={"imsi": IMSI, "peer": HOSTILE}),
    decided(admitted=False),
    decided(admitted=True),
    PeerFault(element="hss", peer="192.0.2.9:4711", interface="S6a", reason=HOSTILE),
    Fault(element="hss", reason="KeyError: 'x'", detail="Traceback\n  File x\nKeyError: 'x'\n"),
)


def written(log: Log, capsys: pytest.CaptureFixture[str]) -> list[str]:
    for each in EVENTS:
        log(each)
    return capsys.readouterr().err.splitlines()


def test_lines_for_people_say_each_thing_once(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    note, refusal, peer, fault, *detail = written(Log(clock), capsys)
    start = f"{clock.wall():%Y-%m-%dT%H:%M:%SZ} "
    assert note == f"{start}a link is up imsi={IMSI}"
    assert refusal == f"{start}refused {IMSI} by bind.hss.given: another IMEI"
    assert peer.startswith(f"{start}warning: peer 192.0.2.9:4711 on S6a: \\x1b[2J")
    assert len(peer) < 700
    assert fault == f"{start}error: fault in hss: KeyError: 'x'"
    assert detail == ["  Traceback", "    File x", "  KeyError: 'x'"]


def test_a_card_that_gets_rules_for_its_whitelist_is_limited_and_not_refused(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    ruling = LIST.rule(whitelist=["udp://192.0.2.10:5683"])
    event = Decided(element="pcrf", decision=Decision(LIST, Verdict.REFUSE, ruling.reason, IMSI))
    Log(clock)(event)
    assert capsys.readouterr().err == ""
    Log(clock, level=Level.DEBUG)(event)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"limited {IMSI} by data.whitelist: rules for its whitelist alone (1 entries)")


def test_json_has_levels_and_fields(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [json.loads(each) for each in written(Log(clock, LogForm.JSON, Level.DEBUG), capsys)]
    assert [each["level"] for each in lines] == ["info", "info", "debug", "warning", "error"]
    refused, admitted, peer = lines[1:4]
    assert (refused["control"], refused["subject"], refused["verdict"]) == ("bind.hss.given", IMSI, "refused")
    assert admitted["verdict"] == "admitted"
    assert (peer["peer"], peer["interface"]) == ("192.0.2.9:4711", "S6a")
    assert max(len(value) for each in lines for value in each.values()) < 600
    assert all(value.isprintable() for each in lines for name, value in each.items() if name != "detail")


@pytest.mark.parametrize(("level", "count"), [(Level.INFO, 4), (Level.WARNING, 2), (Level.ERROR, 1)])
def test_a_level_leaves_out_what_is_below(
    clock: Clock, capsys: pytest.CaptureFixture[str], level: Level, count: int
) -> None:
    assert len(written(Log(clock, LogForm.JSON, level), capsys)) == count


def test_what_is_too_much_of_one_kind_is_counted_at_its_level(
    loop: TestbedLoop, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log(clock, LogForm.JSON)
    for number in range(MOST + 7):
        log(PeerFault(element="hss", peer=f"192.0.2.9:{number}", interface="S6a", reason="no Diameter"))
    assert len(capsys.readouterr().err.splitlines()) == MOST

    loop.run_until_complete(clock.sleep(11))
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["level"], said["event"]) == ("warning", "7 more lines about peer 192.0.2.9 in 10 s")


def test_many_addresses_hide_neither_faults_nor_refusals(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Who sends datagrams makes up where they come from; what is said of all beyond some addresses has one bound."""
    log = Log(clock, LogForm.JSON)
    for number in range(400):
        log(PeerFault(element="pgw", peer=f"10.0.{number}.1:2152", interface="S5-U", reason="no GTP-U"))
    assert len(capsys.readouterr().err.splitlines()) < 300
    assert [json.loads(each)["level"] for each in written(log, capsys)] == ["info", "error"]
