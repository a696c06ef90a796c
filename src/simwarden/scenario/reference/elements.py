"""A page for each kind of element, made of its declaration, and a list of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simwarden.policy.requirements import requirements
from simwarden.scenario.reference.markdown import code, codes, sentence, table
from simwarden.scenario.reference.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from enum import IntEnum

    from simwarden.operations.element import Element
    from simwarden.operations.management import Route
    from simwarden.policy.decision import Control
    from simwarden.runtime.declare import Consequence, Declaration, EventKind, Observable, Verb
    from simwarden.scenario.reference.settings import Setting
    from simwarden.scenario.registry import Registry

MADE: Final = "<!-- Made by `simwarden reference`. Change what it is made of, then run `make docs`. -->"
#: values of an observable up to which all are shown, and how many are where there are more
_MANY: Final = 20
_FEW: Final = 4
#: the place of what holds for all other causes, after the numbers
_LAST: Final = 1 << 16
_HEAD: Final = """\
Settings, parts of a card, verbs, observables, controls, events and management routes, as `validate`, `explain` and the
JSON Schema know them. A duration is a number of seconds, or written as `15 s`, `54 min`, `90 days`.
`peers.NAME.relay` is `relay` of the entry NAME of `peers`; `cells[].tac` is `tac` of each entry of the list `cells`.
"""
_SETTINGS: Final = ("setting", "what it may be", "default", "meaning")


def element_pages(registry: Registry) -> Iterator[tuple[str, str]]:
    """Yield the pages by the paths of their files: the list, then each element's."""
    yield "elements.md", "\n".join(_list(registry))
    for kind in registry.kinds:
        yield f"elements/{kind}.md", element_page(registry, kind)


def element_page(registry: Registry, kind: str) -> str:
    """Return the page of a kind of element."""
    return "\n".join(_page(registry, kind))


def _list(registry: Registry) -> Iterator[str]:
    yield from (MADE, "", "# What each element declares", "")
    yield _HEAD
    rows = []
    for kind, each in registry.kinds.items():
        declaration = each.declaration
        where = declaration.instances or ("network" if declaration.standing else "network, if named there")
        rows.append(
            (
                f"[{kind}](elements/{kind}.md)",
                declaration.title,
                code(where) if declaration.instances else where,
                ", ".join(dict.fromkeys((*declaration.listens, *declaration.calls))),
                codes(declaration.card),
                codes(each.all_verbs()),
            )
        )
    yield from table(("element", "what it is", "stands in", "speaks on", "in a card", "verbs"), rows)


def _page(registry: Registry, kind: str) -> Iterator[str]:
    each = registry.kinds[kind]
    declaration = each.declaration
    yield from (MADE, "", f"# {kind}: {declaration.title}", "")
    yield from _place(declaration)
    yield from _part("Settings", table(_SETTINGS, _rows(settings_of(declaration.config))))
    yield from _part("In a card", _card(declaration))
    yield from _part("Verbs", _verbs(registry, list(each.all_verbs().values())))
    yield from _part("Observables", _observables(declaration.observables))
    yield from _part("Controls", _controls(declaration.controls))
    yield from _part("Events", _events(declaration.events))
    consequences = table(("message", "cause", "what it does next", "by"), consequence_rows(declaration))
    yield from _part("What it does on a cause", consequences)
    yield from _part("What it rejects because the protocol demands it", _demands(declaration))
    yield from _part("Management", _routes(each))


def _part(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield from (f"## {title}", "", *found)


def _place(declaration: Declaration) -> Iterator[str]:
    said = []
    if declaration.instances:
        said.append(f"Each entry of `{declaration.instances}:` in a scenario is one.")
    elif declaration.standing:
        said.append("The default network has one.")
    else:
        said.append(f"It is no part of the default network: a file adds one with `type: {declaration.kind}`.")
    for what, values in (("It listens on", declaration.listens), ("It calls", declaration.calls)):
        said += [f"{what} {', '.join(values)}."] if values else []
    yield from (" ".join(said), "")


def _rows(settings: Iterable[Setting]) -> Iterator[tuple[str, str, str, str]]:
    for each in settings:
        default = "*required*" if each.required else code(each.default)
        yield code(each.path), each.values, default, each.doc


def _card(declaration: Declaration) -> Iterator[str]:
    if declaration.keys:
        yield from ("It needs a card's keys, K and OPc, which are sent to no element that does not.", "")
    for section, model in declaration.card.items():
        words = ", ".join(control.id for control in declaration.controls if control.section == section)
        yield from (f"`{section}`" + (f", which asks for {codes(words.split(', '))}:" if words else ":"), "")
        yield from table(_SETTINGS, _rows(settings_of(model, f"{section}.")))


def _verbs(registry: Registry, verbs: list[Verb]) -> Iterator[str]:
    for verb in verbs:
        yield from (f"### `{verb.name}`", "", sentence(verb.doc), "")
        yield from table(("argument", "what it may be", "default", "meaning"), _arguments(registry, verb))


def _arguments(registry: Registry, verb: Verb) -> Iterator[tuple[str, str, str, str]]:
    settings = list(settings_of(verb.arguments))
    for (path, values, default, doc), setting in zip(_rows(settings), settings, strict=True):
        named = " or ".join(_named(registry, kind) for kind in setting.names)
        short = f" (short: `{verb.name}: ...`)" if setting.path == verb.arguments.shorthand else ""
        yield path, named or values, default, doc + short


def _named(registry: Registry, kind: str) -> str:
    section = registry.declaration(kind).instances
    return f"a name under `{section}`" if section else f"name of an element of type {kind}"


def _observables(observables: tuple[Observable, ...]) -> Iterator[str]:
    rows = [
        (code(each.name), f"records with {codes(each.fields)}" if each.record else _some(each.values.words), each.doc)
        for each in observables
    ]
    return table(("observable", "values", "meaning"), rows)


def _some(values: tuple[str, ...]) -> str:
    """Return the values, or of many the first ones: an enumeration of a specification is told by its name."""
    shown = values if len(values) <= _MANY else values[:_FEW]
    return codes(shown) + (f" and {len(values) - len(shown)} more" if len(shown) < len(values) else "")


def _controls(controls: tuple[Control, ...]) -> Iterator[str]:
    rows = []
    for each in controls:
        known = requirements().get(each.requirement)
        clause = known.clause if known else ""
        rows.append(
            (code(each.id), each.title, codes(each.occasions), codes(each.requirements), clause, code(each.section))
        )
    return table(
        ("control", "what it is", "asked on", "requirement", "clause", "part of a card that asks for it"), rows
    )


def _events(events: tuple[EventKind, ...]) -> Iterator[str]:
    rows = [(code(each.type), each.doc, codes(each.data)) for each in events]
    return table(("event", "what it tells", "in its data"), rows)


def consequence_rows(declaration: Declaration) -> Iterator[tuple[str, str, str, str]]:
    """Yield what an element does on each cause, by its number; messages on which it does the same share a row."""
    listed = {each.message for each in declaration.consequences if each.cause is not None}
    found: dict[tuple[int, str, str], list[Consequence]] = {}
    for each in declaration.consequences:
        other = "any other, and none" if each.message in listed else "any, and none"
        number, cause = (_LAST, other) if each.cause is None else (int(each.cause), cause_text(each.cause))
        found.setdefault((number, cause, each.doc), []).append(each)
    for (_, cause, doc), said in sorted(found.items(), key=lambda item: item[0][0]):
        yield codes(each.message for each in said), cause, doc, clauses(each.clause for each in said)


def _demands(declaration: Declaration) -> Iterator[str]:
    rows = [
        (code(each.message), cause_text(each.cause) if each.cause is not None else "none", each.doc, each.clause)
        for each in declaration.demands
    ]
    return table(("message", "cause", "when", "by"), rows)


def cause_text(cause: IntEnum) -> str:
    """Return a cause as in `#6 ILLEGAL_ME`."""
    return f"#{int(cause)} {cause.name}"


def clauses(texts: Iterable[str]) -> str:
    """Return clauses as in `TS 24.301 5.5.1.2.5, 5.6.1.5`: the specification once."""
    found: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        specification, _, clause = text.rpartition(" ")
        found.setdefault(specification, []).append(clause)
    return "; ".join(f"{specification} {', '.join(each)}".strip() for specification, each in found.items())


def _routes(element: type[Element[Any]]) -> Iterator[str]:
    rows = [_route(each) for each in sorted(element.routes, key=lambda each: each.path) if each.public]
    return table(("call", "roles", "what it does", "body"), rows)


def _route(each: Route) -> tuple[str, str, str, str]:
    roles = ", ".join(sorted(role.value for role in each.roles))
    body = codes(settings.path for settings in settings_of(each.takes)) if each.takes is not None else ""
    return code(f"{each.method} {each.path}"), roles, each.doc.partition("\n")[0], body
