"""Each row of the tables of misuses of short messages has its stories, which expect a refusal and have a twin."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import shipped_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
TABLES = ("simulators/smsc/README.md", "docs/sms-gateway.md")
#: no rule refuses it: it is bounded in time and number, and so ends
BOUNDED = "gateway/long-messages/missing-part"


def rows() -> Iterator[tuple[str, list[str]]]:
    """Yield the misuse and the stories of each row."""
    for page in TABLES:
        table = False
        for line in Path(ROOT, page).read_text("utf-8").splitlines():
            table = line.startswith("| misuse ") or (table and line.startswith("|"))
            cells = line.strip("|").split("|")
            if table and not cells[0].startswith((" misuse", "---")):
                yield cells[0].strip(), re.findall(r"`([^`]+)`", cells[-1])


def decisions(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the decisions that a story expects."""
    if isinstance(value, list):
        for each in value:
            yield from decisions(each)
    elif isinstance(value, dict):
        found = value.get("decision", [])
        yield from found if isinstance(found, list) else [found]
        yield from decisions(list(value.values()))


@pytest.mark.parametrize(("misuse", "stories"), list(rows()))
def test_a_misuse_has_its_stories(misuse: str, stories: list[str]) -> None:
    assert stories, misuse
    for name in stories:
        steps = shipped_cases.document_of(f"sms/{name}")["steps"]
        if name != BOUNDED:
            assert any(each.get("verdict", "refuse") == "refuse" for each in decisions(steps)), name
            twin = shipped_cases.document_of(shipped_cases.name_of(shipped_cases.load(f"sms/{name}").twin))
            assert all(each.get("verdict") == "admit" for each in decisions(twin["steps"])), name
