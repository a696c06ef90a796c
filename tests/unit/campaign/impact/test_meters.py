"""Figures of traces that were made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simwarden.campaign.impact.measures import OUTCOMES
from simwarden.campaign.impact.meters import (
    BlastMeter,
    CallsMeter,
    DelayMeter,
    LoadMeter,
    MeaninglessError,
    MessagesMeter,
    Meter,
    PacketsMeter,
)
from simwarden.trace.events import Event, Frame, StateChange
from simwarden.wire.dissection import Dissection

if TYPE_CHECKING:
    from collections.abc import Iterable

IMSI = "001010000000001"
Line = tuple[Any, ...]


def frame(time: float, source: str, target: str, interface: str, name: str, *nas: str) -> Frame:
    """A frame that is dissected already; what a device sends comes from the side that connected."""
    protocol = {"Uu": "uu", "S1-MME": "s1ap", "S6a": "diameter", "ME-UICC": "apdu"}[interface]
    inner = tuple(Dissection(each, each) for each in nas)
    return Frame(
        time=time,
        source=source,
        target=target,
        interface=interface,
        protocol=protocol,
        data=b"\x00\x01\x02\x03",
        from_client=not (interface == "Uu" and source == "enb"),
        dissection=Dissection(name, name, {}, "", inner),
    )


def up(time: float, *nas: str, of: str = "meter") -> Frame:
    return frame(time, of, "enb", "Uu", "ul-information-transfer", *nas)


def down(time: float, name: str, *nas: str, to: str = "meter") -> Frame:
    return frame(time, "enb", to, "Uu", name, *nas)


def core(time: float) -> Frame:
    return frame(time, "mme", "hss", "S6a", "cancel-location-answer")


def session(time: float, *, stands: bool, imsi: str = IMSI) -> StateChange:
    return StateChange(time=time, element="mme", observable="session", key=imsi, value={} if stands else None)


def attached() -> list[Event]:
    return [
        down(0, "rrc-connection-setup"),
        up(0, "attach-request"),
        session(0, stands=True),
        down(0, "rrc-connection-reconfiguration", "attach-accept"),
        up(0, "attach-complete"),
        down(10, "rrc-connection-release"),
    ]


def served(time: float) -> list[Event]:
    return [
        down(time, "rrc-connection-setup"),
        up(time, "service-request"),
        down(time, "rrc-connection-reconfiguration"),
        up(time, "identity-response"),
        down(time + 10, "rrc-connection-release"),
    ]


def refused(time: float) -> list[Event]:
    return [
        down(time, "rrc-connection-setup"),
        up(time, "service-request"),
        up(time, "identity-response"),
        down(time, "dl-information-transfer", "service-reject"),
        down(time, "rrc-connection-release"),
    ]


def measured(meter: Meter, lines: Iterable[Event | tuple[str, float]], end: float) -> dict[str, Any]:
    for line in lines:
        if isinstance(line, tuple):
            meter.on_step(*line)
        else:
            meter.take(line)
    return dict(meter.figures(end))


def delay(*lines: Event | tuple[str, float], end: float = 1000.0) -> dict[str, Any]:
    return measured(DelayMeter(["meter"], ("mme", "session"), IMSI), lines, end)


def test_what_is_served_after_the_change_leaks_to_the_last_message() -> None:
    found = delay(*attached(), ("change", 100.0), *served(150), *served(300), core(400), session(400, stands=False))
    assert found["leaked_requests"] == 2
    assert found["leaked_messages"] == 4, "the request, and what follows it on its connection"
    assert found["last_leak"] == 200.0
    assert (found["session_ends"], found["core_messages"], found["core_messages_to_release"]) == (300.0, 1, 1)
    assert found["told"] is None


def test_what_is_refused_does_not_leak() -> None:
    found = delay(*attached(), ("change", 100.0), core(100), session(100, stands=False), core(100), *refused(150))
    assert (found["last_leak"], found["leaked_messages"], found["told"]) == (None, 0, 50.0)
    assert (found["session_ends"], found["core_messages"]) == (0.0, 1)


def test_a_connected_device_is_gone_when_its_connection_is() -> None:
    connected = attached()[:-1]
    told = [core(100), down(100, "dl-information-transfer", "detach-request"), up(100, "detach-accept"), core(100)]
    found = delay(
        *connected, ("change", 100.0), core(100), session(100, stands=False), *told, down(100, "rrc-connection-release")
    )
    assert found["leaked_messages"] == 0, "obedience to a detach is no use"
    assert (found["core_messages"], found["core_messages_to_release"], found["told"]) == (1, 3, 0.0)


def test_a_request_under_way_at_the_change_counts_from_the_change_on() -> None:
    began = [down(99, "rrc-connection-setup"), up(99, "service-request")]
    ends = [up(101, "identity-response"), down(101, "rrc-connection-reconfiguration")]
    found = delay(*attached(), *began, ("change", 100.0), *ends, session(101, stands=False))
    assert (found["leaked_requests"], found["leaked_messages"], found["last_leak"]) == (1, 1, 1.0)


def test_user_data_and_updates_leak_on_a_served_connection() -> None:
    data = frame(200, "meter", "enb", "Uu", "user-data")
    update = [
        up(210, "tracking-area-update-request"),
        down(210, "dl-information-transfer", "tracking-area-update-accept"),
    ]
    found = delay(*attached()[:-1], ("change", 100.0), data, *update)
    assert (found["leaked_messages"], found["leaked_requests"], found["last_leak"]) == (2, 1, 110.0)
    assert found["session_ends"] is None, "the core still holds the card"


def test_requests_without_an_answer_and_of_others_do_not_leak() -> None:
    lost = [down(200, "rrc-connection-setup"), up(200, "service-request"), down(205, "rrc-connection-release")]
    others = [up(300, "service-request", of="phone"), down(300, "rrc-connection-reconfiguration", to="phone")]
    found = delay(*attached(), ("change", 100.0), *lost, *others, session(300, stands=False, imsi="001010000000002"))
    assert (found["leaked_messages"], found["session_ends"]) == (0, None)


def test_a_session_that_begins_anew_takes_back_that_it_ended() -> None:
    again = [session(100, stands=False), *served(200), session(200, stands=True)]
    assert delay(*attached(), ("change", 100.0), *again)["session_ends"] is None
    assert delay(*attached(), ("change", 100.0), *again, session(300, stands=False))["session_ends"] == 200.0


def test_a_card_that_was_never_served_measures_nothing() -> None:
    with pytest.raises(MeaninglessError, match="no request was served before"):
        delay(("change", 100.0), session(100, stands=False))


# -- blast radius


def ended(time: float, name: str, word: str, what: str = "service_request") -> StateChange:
    return StateChange(time=time, element=name, observable=what, value=word)


def blast(*lines: Event | tuple[str, float], end: float = 1000.0) -> dict[str, Any]:
    return measured(BlastMeter(["a", "b", "c"], ["thief"], OUTCOMES), lines, end)


BEFORE = [ended(0, "a", "accepted", "attach"), ended(1, "b", "accepted", "attach")]


def test_hurt_out_and_back() -> None:
    found = blast(
        *BEFORE,
        ("failed", 100.0),
        ended(110, "a", "rejected"),
        ended(120, "a", "accepted"),
        ended(130, "b", "no-answer"),
        ended(140, "c", "started", "attach"),
        ended(150, "c", "rejected", "attach"),
        ("returned", 200.0),
        ended(210, "b", "accepted"),
        ended(260, "c", "backed-off", "attach"),
        ended(300, "c", "accepted", "attach"),
    )
    assert (found["good"], found["hurt"], found["out_at_return"], found["stay_out"]) == (3, 3, 2, 0)
    assert found["longest_out"] == 150.0
    assert found["all_back"] == 100.0


def test_one_that_stays_out_is_told() -> None:
    found = blast(
        *BEFORE, ("failed", 100.0), ended(150, "a", "rejected"), ("returned", 200.0), ended(300, "b", "accepted")
    )
    assert (found["hurt"], found["stay_out"], found["all_back"], found["longest_out"]) == (1, 1, None, 850.0)


def test_nobody_hurt_and_thieves_in() -> None:
    found = blast(*BEFORE, ("failed", 100.0), ended(150, "thief", "accepted", "attach"), ("returned", 200.0))
    assert (found["hurt"], found["all_back"], found["longest_out"]) == (0, 0.0, 0.0)
    assert (found["thieves_in"], found["thieves_in_at_end"]) == (1, 1)
    found = blast(
        *BEFORE, ("failed", 1.0), ended(2, "thief", "accepted"), ("returned", 3.0), ended(4, "thief", "rejected")
    )
    assert (found["thieves_in"], found["thieves_in_at_end"]) == (1, 0)


def test_a_blast_without_a_good_beginning_measures_nothing() -> None:
    with pytest.raises(MeaninglessError, match="no good device"):
        blast(("failed", 1.0), ("returned", 2.0))
    with pytest.raises(MeaninglessError, match="1 thieves were served before"):
        blast(*BEFORE, ended(1, "thief", "accepted"), ("failed", 2.0), ("returned", 3.0))


# -- load


def load(*lines: Event | tuple[str, float], end: float = 99_999.0, at_once: bool = False) -> dict[str, Any]:
    return measured(LoadMeter(["a", "b"], "S1-MME", at_once=at_once), lines, end)


def s1(time: float) -> Frame:
    return frame(time, "enb", "mme", "S1-MME", "initial-ue-message")


def test_load_is_counted_while_refused_and_told_per_device_and_hour() -> None:
    found = load(
        s1(1),
        ("refused", 3600.0),
        ended(3600, "a", "started", "attach"),
        ended(3700, "a", "started", "attach"),
        ended(3700, "b", "started", "attach"),
        *(s1(3600.25) for _ in range(5)),
        *(s1(4000.5) for _ in range(3)),
        up(3601, "attach-request", of="a"),
        core(3602),
        core(3602),
        frame(3602, "meter", "card", "ME-UICC", "select"),
        ("cured", 10800.0),
        s1(10801),
        ended(10900, "a", "accepted", "attach"),
        ended(11000, "b", "accepted", "attach"),
    )
    assert (found["fleet"], found["hours"]) == (2, 2.0)
    assert (found["attempts"], found["radio"], found["s1"], found["diameter"]) == (0.75, 0.25, 2.0, 0.5)
    assert (found["busiest_second"], found["busiest_later"]) == (5, 3)
    assert (found["back"], found["first_back"], found["last_back"]) == (2, 100.0, 200.0)
    assert found["back_after_power_cycle"] is None


def test_those_who_need_a_power_cycle_are_told_apart() -> None:
    found = load(
        ("refused", 0.0),
        ended(1, "a", "started", "attach"),
        ("cured", 3600.0),
        ended(3700, "a", "accepted", "attach"),
        ("cycled", 7200.0),
        ended(7300, "a", "accepted", "attach"),
        ended(7300, "b", "accepted", "attach"),
    )
    assert (found["back"], found["back_after_power_cycle"]) == (1, 1)


def test_those_who_are_sent_to_attach_again_are_back_before_anything_is_cured() -> None:
    lines = (
        ("refused", 100.0),
        ended(101, "a", "started", "attach"),
        ended(102, "a", "accepted", "attach"),
        ("cured", 3700.0),
        ended(3701, "b", "accepted", "attach"),
    )
    found = load(*lines, at_once=True)
    assert (found["attempts"], found["back"], found["first_back"], found["last_back"]) == (0.5, 2, 2.0, 3601.0)
    with pytest.raises(MeaninglessError, match="1 devices were served while"):
        load(*lines)


def test_a_fleet_that_is_served_or_does_not_try_measures_nothing() -> None:
    with pytest.raises(MeaninglessError, match="no device of the fleet tried"):
        load(("refused", 0.0), ("cured", 10.0))
    with pytest.raises(MeaninglessError, match="1 devices were served while"):
        load(("refused", 0.0), ended(1, "a", "started", "attach"), ended(2, "a", "accepted", "attach"), ("cured", 10.0))


def seen(time: float, element: str, observable: str, value: object) -> StateChange:
    return StateChange(element=element, observable=observable, key="", value=value, time=time)


def test_packets_count_where_they_come_to() -> None:
    own, others = {"source": "10.64.0.1"}, {"source": "10.64.0.2"}
    lines: list[Event | tuple[str, float]] = [
        seen(1, "meter", "address", "10.64.0.1"),
        seen(2, "internet", "arrived", own),
        ("change", 100.0),
        seen(110, "internet", "arrived", own),
        seen(130, "internet", "arrived", others),
        seen(140, "meter", "received", 1),
        seen(150, "internet", "arrived", None),
    ]
    found = measured(PacketsMeter(["meter"], ("internet", "arrived")), lines, 1000.0)
    assert found == {"last_out": 10.0, "packets_out": 1, "last_in": 40.0, "packets_in": 1, "watched": 900.0}
    with pytest.raises(MeaninglessError, match="before the change"):
        measured(PacketsMeter(["meter"], ("internet", "arrived")), lines[2:], 1000.0)


def test_messages_count_where_they_come_to() -> None:
    came = {"sender": "1440000000001", "code": "10658000", "text": "17 kWh"}
    lines: list[Event | tuple[str, float]] = [
        seen(2, "works", "message", came),
        ("change", 100.0),
        seen(110, "works", "message", came),
        seen(130, "meter", "sms", {"text": "read"}),
        seen(140, "meter", "received", 1),
        seen(150, "other", "sms", {"text": "read"}),
    ]
    found = measured(MessagesMeter(["meter"], ("works", "message")), lines, 1000.0)
    assert found == {"last_out": 10.0, "messages_out": 1, "last_in": 30.0, "messages_in": 1, "watched": 900.0}
    with pytest.raises(MeaninglessError, match="no message got out before the change"):
        measured(MessagesMeter(["meter"], ("works", "message")), lines[1:], 1000.0)


def test_calls_count_where_they_ring_and_the_one_in_progress_has_its_end() -> None:
    rang = {"phone": "room", "times": 1}
    lines: list[Event | tuple[str, float]] = [
        seen(2, "pstn", "invited", rang),
        seen(3, "lift", "call", "connected"),
        ("change", 100.0),
        seen(104, "lift", "call", "released"),
        seen(110, "pstn", "invited", rang),
        seen(115, "lift", "call", "connected"),
        seen(120, "lift", "call", "released"),
        seen(130, "lift", "call", "ringing"),
        seen(150, "other", "call", "ringing"),
    ]
    found = measured(CallsMeter(["lift"], ("pstn", "invited")), lines, 1000.0)
    figures = {"last_out": 10.0, "calls_out": 1, "last_in": 30.0, "calls_in": 1}
    assert found == {**figures, "watched": 900.0, "ended": 4.0}
    idle = measured(CallsMeter(["lift"], ("pstn", "invited")), [lines[0], ("change", 100.0)], 1000.0)
    assert idle["ended"] is None


def test_calls_are_requests_too() -> None:
    lines: list[Event | tuple[str, float]] = [
        seen(1, "lift", "call", "connected"),
        ("failed", 10.0),
        seen(12, "pstn", "call", {"state": "refused"}),
        seen(20, "lift", "call", "calling"),
        seen(20, "lift", "call", "refused"),
        ("returned", 30.0),
        seen(40, "lift", "call", "connected"),
        seen(45, "lift", "call", "released"),
    ]
    found = measured(BlastMeter(["lift"], [], ["call"]), lines, 100.0)
    assert (found["hurt"], found["longest_out"], found["all_back"]) == (1, 20.0, 10.0)
