"""docs/gx-gy.md: every AVP that a PCRF or an OCS may send has a row, and a row with an effect names its scenario."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import shipped_cases
from gx_gy_page import PAGE, ROOT, Row, rows

from simwarden.wire.diameter.apps.gx import EventTrigger
from simwarden.wire.diameter.dictionary import BY_POINT, COMMANDS, GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable

ANSWER, ORDER = (272, False), (258, True)
#: what each message has: identities, results, routing and agreed features
HEAD = frozenset(
    {
        *("Session-Id", "DRMP", "Auth-Application-Id", "Origin-Host", "Origin-Realm", "Destination-Host"),
        *("Destination-Realm", "Route-Record", "Proxy-Info", "Error-Message", "Error-Reporting-Host", "Failed-AVP"),
        *("Origin-State-Id", "User-Name", "OC-Supported-Features", "OC-OLR", "Load", "CC-Request-Type"),
        *("CC-Request-Number", "Redirect-Host", "Redirect-Host-Usage", "Redirect-Max-Cache-Time"),
        *("Experimental-Result", "Result-Code", "Supported-Features"),
    }
)
DONE = frozenset({"carried out", "reported", "closed"})
VERDICTS = DONE | {"ignored", "limit"}


def lacking(
    names: Iterable[str], known: dict[str, str], group: str = "", seen: frozenset[str] = frozenset()
) -> set[str]:
    """Return the AVPs without a row; what stands in a group that is not acted on needs none."""
    found = set()
    for name in names:
        if name in HEAD or name in seen:
            continue
        verdict = known.get(name) or known.get(f"{group}/*")
        if verdict is None:
            found.add(f"{group}/{name}")
        elif verdict == "carried out" and name in GROUPS:
            found |= lacking(GROUPS[name].rules, known, name, seen | {name})
    return found


@pytest.mark.parametrize("point", ["Gx", "Gy"])
def test_every_avp_of_an_answer_and_an_order_has_one_row(point: str) -> None:
    named = [(avp, row.verdict) for row in rows(point) for avp in row.avps]
    assert len({avp for avp, _ in named}) == len(named)
    assert {verdict for _, verdict in named} <= VERDICTS
    messages = (COMMANDS[BY_POINT[point], *which].grammar.rules for which in (ANSWER, ORDER))
    assert lacking([avp for rules in messages for avp in rules], dict(named)) == set()


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.avps[0]) for point in ("Gx", "Gy") for row in rows(point) if row.verdict in DONE]
)
def test_a_row_that_claims_an_effect_names_what_shows_it(row: Row) -> None:
    if row.shown_by.startswith("`test_"):
        tests = [path.read_text() for path in (ROOT / "tests" / "unit").rglob("test_*.py")]
        assert any(f"def {row.shown_by.strip('`')}(" in text for text in tests)
        return
    scenario = shipped_cases.text_of(row.shown_by)
    words = scenario.lower().replace("_", "-")
    assert any(avp.lower() in words for avp in row.avps), f"{row.shown_by} has none of {', '.join(row.avps)}"


def test_every_event_trigger_has_a_row() -> None:
    listed = set(re.findall(r"[A-Z]+(?:_[A-Z]+)+", PAGE.partition("| event trigger |")[2].partition("\n## ")[0]))
    assert {each.name for each in EventTrigger} <= listed
