"""What holds at the end of any story: no procedure is under way, and elements agree on what there is.

A PDN connection that the MME has let go of and the PGW has not is none that an expectation would name: so each story is
judged by it, whatever it is about.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from simwarden.runtime.host import Host

#: by what is counted and the element that counts it
Census = dict[tuple[str, str], int]


def census(host: Host) -> Census:
    """Return what the elements of a run count in memory."""
    counted = ((name, element.census()) for name, element in host.elements.items())
    return {(what, name): number for name, of_it in counted for what, number in of_it.items()}


def disagreements(held: Mapping[tuple[str, str], int], kinds: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what elements of several `kinds` count by one name, each from its side, and do not agree on."""
    sums: dict[str, Counter[str]] = {}
    for (what, name), number in held.items():
        sums.setdefault(what, Counter())[kinds[name]] += number
    for what, of_kinds in sums.items():
        if len({*of_kinds.values()}) > 1:
            yield what, ", ".join(f"{kind} {number}" for kind, number in of_kinds.items())


def _apart(host: Host) -> Iterator[tuple[str, set[str], dict[str, Counter[tuple[Any, ...]]]]]:
    """Yield what elements of several kinds hold in common: what, who tells it, and what each kind tells alone."""
    told: dict[str, dict[str, Counter[tuple[Any, ...]]]] = {}
    by: dict[str, set[str]] = {}
    for name in (each for each in host.elements if each in host.running):
        element = host.elements[name]
        for what, views in element.views().items():
            told.setdefault(what, {}).setdefault(element.declaration.kind, Counter()).update(views)
            by.setdefault(what, set()).add(name)
    for what, of_kinds in told.items():
        common = functools.reduce(operator.and_, of_kinds.values())
        if len(of_kinds) > 1:
            yield what, by[what], {kind: views - common for kind, views in of_kinds.items()}


def held_apart(host: Host) -> set[tuple[str, tuple[Any, ...]]]:
    """Return what one kind of element holds now, and others that should do not."""
    return {(what, view) for what, _, alone in _apart(host) for views in alone.values() for view in views}


def contradictions(host: Host, forgotten: Collection[tuple[str, Any]] = ()) -> Iterator[tuple[str, set[str], str]]:
    """Yield what elements of several kinds hold in common, and not alike: what, who tells it, and the difference.

    `forgotten` is what an element that began anew need not know: see `Element.forgets`.
    """
    for what, by, of_kinds in _apart(host):
        alone = {
            kind: [each for each in of.elements() if (what, each) not in forgotten] for kind, of in of_kinds.items()
        }
        if any(alone.values()):
            yield what, by, "; ".join(f"{kind} {_shown(views)}" for kind, views in alone.items())


def _shown(views: list[tuple[Any, ...]]) -> str:
    return ", ".join(" ".join(map(str, each)) for each in views[:3]) or "nothing else"


def is_whole(host: Host) -> bool:
    """Whether nothing of a network is down or fails: else peers of what does need not know of each other's state."""
    return not host.injected_faults and host.running >= host.elements.keys()


def _has_strangers(host: Host, counting: set[str]) -> bool:
    """Whether an element that counts nothing asks one of those that count: it may have what nobody counts with it."""
    asked = {point for name in counting for point in host.elements[name].declaration.listens}
    others = (each for name, each in host.elements.items() if name not in counting and not each.census())
    return any(asked & {*each.declaration.calls} for each in others)


def is_busy(host: Host) -> bool:
    """Whether a procedure is under way anywhere."""
    return any(map(host.under_way, host.elements))


def unrest(
    host: Host, kinds: Mapping[str, str], forgotten: Collection[tuple[str, Any]] = ()
) -> Iterator[tuple[str, str, str]]:
    """Yield what is not at rest: what it is about, what is wanted, and what is so; `forgotten` as above."""
    held = census(host)
    for what, counted in disagreements(held, kinds):
        if not _has_strangers(host, {name for each, name in held if each == what}):
            yield what, "all elements count as many", counted
    for what, by, told in contradictions(host, forgotten):
        if not _has_strangers(host, by):
            yield what, "all elements tell the same", told
    for name in host.elements:
        if under_way := host.under_way(name):
            yield name, "no procedure is under way", ", ".join(under_way)
