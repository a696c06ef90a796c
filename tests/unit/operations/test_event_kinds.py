"""The page of events tells what elements declare, no less and no more."""

import re
from pathlib import Path

from simwarden.scenario.registry import Registry

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z.]+)` \| ([a-z, ]+) \| (.*) \|$", re.MULTILINE)


def test_the_page_lists_what_each_element_declares() -> None:
    declared: dict[str, tuple[set[str], str]] = {}
    for name, kind in Registry.installed().kinds.items():
        for each in kind.declaration.events:
            declared.setdefault(each.type, (set(), each.doc))[0].add(name)
    told = {kind: (set(elements.split(", ")), doc) for kind, elements, doc in ROW.findall(PAGE)}
    assert told == declared
