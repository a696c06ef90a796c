"""The ladder as text."""

from __future__ import annotations

import io
import re

import pytest
import traces

from simwarden.plain import plain
from simwarden.policy.decision import Verdict
from simwarden.trace.events import Event, Note
from simwarden.trace.ladder import ASCII, Style, clock, draw, style_for, width_of
from simwarden.trace.rows import Kind, rows_of


@pytest.fixture(name="events")
def _events() -> list[Event]:
    return traces.moved_card()


def ladder(events: list[Event], style: Style | None = None) -> list[str]:
    return draw(events, traces.ORDER, style)


def test_one_line_a_message_and_lanes_from_card_to_core(events: list[Event]) -> None:
    lines = ladder(events, Style(full=True))
    assert lines[0].split() == ["card", "meter", "phone", "enb", "mme", "eir", "hss"]
    messages = [row for row in rows_of(events) if row.kind is Kind.MESSAGE]
    assert sum("▶" in line or "◀" in line for line in lines) == len(messages)
    assert not any(line != line.rstrip() for line in lines)


def test_where_it_was_blocked_by_whom_with_clause_and_cause(events: list[Event]) -> None:
    lines = ladder(events)
    at = next(index for index, line in enumerate(lines) if "REFUSED" in line)
    assert "REFUSED by hss: bind.hss.learned on update-location (2.1.3(1) one)" in lines[at]
    assert "expected 35999900000006, seen 35999900000007" in lines[at + 1]
    column = lines[at].index("✗")
    assert lines[0][column - 1 : column + 2] == "hss"
    assert "experimental result 5001 USER_UNKNOWN" in lines[at + 2]
    assert "Attach reject, EMM cause 8" in lines[at + 3]


def test_an_arrow_ends_at_its_lanes(events: list[Event]) -> None:
    line = next(line for line in ladder(events) if "Update location request" in line)
    heads = ladder(events)[0]
    assert line.index("─") == heads.index("mme") + 2
    assert line.index("▶") == heads.index("hss")


def test_noise_is_folded_and_the_story_is_not(events: list[Event]) -> None:
    folded, full = ladder(events), ladder(events, Style(full=True))
    assert sum("messages" in line for line in folded) == 5
    assert not any("READ BINARY" in line for line in folded)
    assert any("READ BINARY" in line for line in full)
    assert any("AUTHENTICATE" in line for line in folded)
    assert not any("attach: rejected" in line for line in folded)
    assert any("attach: rejected" in line for line in full)


@pytest.mark.parametrize("width", [72, 80, 100, 132, 200])
def test_fits_the_terminal(events: list[Event], width: int) -> None:
    lines = ladder(events, Style(width))
    assert max(width_of(line) for line in lines) <= width
    # A refusal is never cut short.
    told = re.sub(r"[\s│✗◀▶─]+", " ", " ".join(lines))
    assert "is not the bound 35999900000006" in told
    assert "EMM cause 8 EPS and non EPS services not allowed" in told


def test_ascii_and_colour(events: list[Event]) -> None:
    plain = ladder(events, Style(80))
    assert "\n".join(ladder(events, Style(80, marks=ASCII))).isascii()
    coloured = ladder(events, Style(80, colour=True))
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == plain
    assert any("\x1b[1;31m" in line and "REFUSED" in line for line in coloured)


def test_long_names_are_staggered(events: list[Event]) -> None:
    for event in events:
        for side in ("source", "target", "element"):
            if getattr(event, side, "") == "meter":
                setattr(event, side, "elevator-alarm")
    order = traces.ORDER | {"elevator-alarm": 10}
    first, second, *_ = draw(events, order, Style(80))
    assert "elevat" in first + second
    assert max(map(len, draw(events, order, Style(80)))) <= 80


def test_hostile_text_cannot_steer_the_terminal(events: list[Event]) -> None:
    events.append(Note(element="mme", text="peer \x1b[2J\x07 said \u202eabc\n", number=99, time=1.0))
    lines = ladder(events)
    assert not any(re.search(r"[\x00-\x1f\u202e]", line) for line in lines)
    assert plain("\x1b[2J") == "\\x1b[2J"


def test_two_runs_compare_equal() -> None:
    assert ladder(traces.moved_card()) == ladder(traces.moved_card())


def test_no_colour_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not style_for(io.StringIO()).colour

    class Terminal(io.StringIO):
        encoding = "ascii"

        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert style_for(Terminal(), width=80).colour
    assert style_for(Terminal(), width=80).marks is ASCII
    monkeypatch.setenv("NO_COLOR", "1")
    assert not style_for(Terminal(), width=80).colour


def test_clock() -> None:
    assert [clock(t) for t in (0, 1.5, 86399.9994, 86400, 90 * 86400 + 3660)] == [
        "0.000",
        "1.500",
        "86399.999",
        "1d00:00",
        "90d01:01",
    ]


def test_a_decision_colours_the_message_that_carries_it(events: list[Event]) -> None:
    rows = {row.number: row for row in rows_of(events)}
    answers = [row for row in rows.values() if row.name == "update-location-answer"]
    assert [row.verdict for row in answers] == ["admit", "refuse"]
    requests = [row for row in rows.values() if row.name == "update-location-request"]
    assert {row.verdict for row in requests} == {""}


def test_a_decision_without_an_answer_is_shown_on_what_was_heard() -> None:
    tell = traces.Teller()
    traces.apdus(tell, "phone")
    tell.decide("phone", traces.LEARNED, Verdict.REFUSE, "not my card")
    last = [row for row in rows_of(tell.events) if row.kind is Kind.MESSAGE][-1]
    assert (last.target, last.verdict) == ("phone", "refuse")
