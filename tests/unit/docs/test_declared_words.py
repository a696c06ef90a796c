"""Controls and their occasions are called in the pages as elements declare them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simwarden.campaign.prove.mutants import SWITCHES
from simwarden.policy.requirements import requirements
from simwarden.scenario.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
REGISTRY = Registry.installed()
CONTROLS = REGISTRY.controls
OCCASIONS = {str(each) for pairs in CONTROLS.values() for _, control in pairs for each in control.occasions}
EVENTS = {event.type for kind in REGISTRY.kinds for event in REGISTRY.declaration(kind).events}
#: first parts of ids of controls, without kinds of elements, which are first parts of observables
PREFIXES = {name.partition(".")[0] for name in CONTROLS} - REGISTRY.kinds.keys()
GENERATED = ROOT / "docs" / "elements"
PAGES = [
    path
    for path in (*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "simulators").glob("*/README.md"))
    if GENERATED not in path.parents and path.name != "CHANGELOG.md"
]
QUOTED = re.compile(r"`([^`\n]+)`")
POINT = re.compile(r"([a-z_]+)/([a-z][\w.-]*?)(?:@([\w-]+))?")
DECISION = re.compile(r"control: ?([a-z][\w.-]*[a-z])(?:[^}\n]*?\bon: ?([a-z-]+))?")


def settings() -> set[str]:
    """Return the paths of settings and of a card's sections, as the pages of the elements list them."""
    return {word for path in GENERATED.glob("*.md") for word in QUOTED.findall(path.read_text("utf-8"))}


KNOWN = CONTROLS.keys() | requirements().keys() | EVENTS | settings()


def has_occasion(control: str, occasion: str, kind: str = "") -> bool:
    """Return True if a control exists and is asked on an occasion, if one is given, by a kind or any."""
    found = [each for element, each in CONTROLS.get(control, ()) if kind in ("", element)]
    return any(not occasion or occasion in map(str, each.occasions) for each in found)


def wrong_in(text: str) -> Iterator[str]:
    """Yield the names of controls and occasions in a page that no element declares."""
    for line in text.splitlines():
        about_occasions = re.search(r"\b(occasion|checkpoint)s?\b", line) is not None
        yield from (word for word in QUOTED.findall(line) if is_wrong(word, about_occasions=about_occasions))
        yield from (found[0] for found in DECISION.finditer(line) if not has_occasion(found[1], found[2] or ""))


def is_wrong(word: str, *, about_occasions: bool) -> bool:
    """Return True if a quoted word has the form of a control or an occasion, but is not declared."""
    point = POINT.fullmatch(word)
    if point and point[1] in REGISTRY.kinds and not word.endswith((".py", ".md", ".yaml")):
        named = "." in point[2] or point[3]
        return bool(named) and not has_occasion(point[2], point[3] or "", point[1])
    if re.fullmatch(r"[a-z]+(\.[a-z0-9-]+)+", word):
        return word.partition(".")[0] in PREFIXES - {"management"} and word not in KNOWN
    return (
        about_occasions and re.fullmatch(r"[a-z]+(-[a-z]+)+", word) is not None and word not in (*OCCASIONS, *SWITCHES)
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_names_controls_and_occasions_that_are_declared(path: Path) -> None:
    assert list(wrong_in(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("| occasion | when a control is asked: `handover-notify`, `attach` |", ["handover-notify"]),
        ("`bind.hss.learnt` refuses", ["bind.hss.learnt"]),
        ("`hss/bind.hss.given@notify` and `hss/bind.hss.given@attach`", ["hss/bind.hss.given@attach"]),
        ("expect: {decision: {control: area.cell, on: path-swich}}", ["control: area.cell, on: path-swich"]),
        ("`bind.hss.given`, `mon.area`, `sms.by`, `binding.learned` on the occasion `update-location`", []),
    ],
)
def test_a_name_that_is_not_declared_is_found(line: str, wrong: list[str]) -> None:
    assert list(wrong_in(line)) == wrong
