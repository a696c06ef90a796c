"""`explain`: what a name means, wherever it comes from."""

from __future__ import annotations

import enum
import json
import re
from importlib import import_module
from typing import TYPE_CHECKING

from simwarden.cli import explaining_files, explaining_rules, explaining_tables
from simwarden.cli.explaining_files import paragraph
from simwarden.cli.shipped import stories
from simwarden.errors import ConfigError, SimwardenError
from simwarden.policy.requirements import requirements
from simwarden.runtime.declare import Names, field_docs
from simwarden.scenario.problems import guess, plain
from simwarden.scenario.reference.elements import clauses
from simwarden.scenario.registry import Registry
from simwarden.scenario.steps import CORE_VERBS
from simwarden.wire.family import families

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from simwarden.policy.requirements import Requirement
    from simwarden.runtime.declare import Consequence, Verb

#: what acts by a command, over lists of cards
_COMMANDS = {"classify": "simwarden classify FILE", "audit": "simwarden numbers FILE"}
#: among thousands of names some are a little like any other: how like a suggestion has to be
_LIKE = 0.75
#: scenarios that are listed of those that prove a requirement
_LISTED = 6


def explain_name(name: str, *, as_json: bool = False) -> None:
    """Print all meanings of a name. Raises ConfigError for one that has none."""
    asked, registry = name, Registry.installed()
    name = re.sub(r"^#(?=\d+$)", "", name)  # causes are often written so, and as `EMM #19`
    name = re.sub(r"(?i)^(EMM|ESM)(?: cause)? ?#?(?=\d+$)", lambda found: f"{found[1].lower()}_cause ", name)
    paragraphs = [text for teller in _TELLERS for text in teller(name, registry)]
    if not paragraphs:
        hint = guess(name, _all_names(registry), likeness=_LIKE)
        raise ConfigError(f"nothing is called {name!r}", hint=hint)
    if as_json:
        print(json.dumps({"name": asked, "meanings": paragraphs}, indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(paragraphs))


def known_names() -> list[str]:
    """Return all names that have a meaning."""
    return sorted(set(_all_names(Registry.installed())))


def _requirement(name: str, registry: Registry) -> Iterator[str]:
    each = requirements().get(name)
    if each is not None:
        kind = "requirement" if each.restricts else "requirement (permits)"
        about = each.title, each.title_zh, each.rule, "goes beyond the guideline's text" if each.beyond else ""
        lines = *about, *_enforced(each, registry), *_proved(name)
        yield paragraph(f"{each.id}: {kind}, clause {each.clause}", *lines)


def _enforced(asked: Requirement, registry: Registry) -> Iterator[str]:
    from simwarden.scenario.claims import points_of  # noqa: PLC0415 - few names ask for it

    points = points_of(registry, asked.id).values()
    for point in points:
        yield f"enforced by {point.kind}, control {point.control.id}{_doc(point.control.title)}"
    missing = asked.missing({point.kind for point in points})
    for kind in filter(_COMMANDS.get, missing):
        yield f"told by `{_COMMANDS[kind]}`, which refuses nobody"
    if missing := [kind for kind in missing if kind not in _COMMANDS]:
        yield f"has to be enforced by {', '.join(missing)} too, where no control is yet"


def _proved(name: str) -> Iterator[str]:
    try:
        found = [f"proved by {each.name}: {each.title}" for each in stories(name) if name in each.proves]
    except SimwardenError:
        return
    yield from found[:_LISTED]
    if len(found) > _LISTED:
        yield f"and by {len(found) - _LISTED} more: simwarden list --match {name}"


def _control(name: str, registry: Registry) -> Iterator[str]:
    for kind, control in registry.controls.get(name, ()):
        known = requirements().get(control.requirement)
        clause = f" (clause {known.clause}: {known.title})" if known else ""
        head = f"{name}: control of {kind}, for requirement {control.requirement}{clause}"
        also = f"serves {', '.join(control.also)} too" if control.also else ""
        yield paragraph(head, control.title, also, f"asked on: {', '.join(control.occasions)}")


def _verb(name: str, registry: Registry) -> Iterator[str]:
    if name in CORE_VERBS:
        yield paragraph(f"{name}: verb", CORE_VERBS[name])
    for kind, verb in registry.verbs.get(name, ()):
        yield paragraph(f"{name}: verb of {kind}", verb.doc.partition("\n\n")[0], *_arguments(verb, registry))


def _arguments(verb: Verb, registry: Registry) -> Iterator[str]:
    docs = field_docs(verb.arguments)
    for field, info in verb.arguments.model_fields.items():
        notes = ["required"] if info.is_required() else []
        notes += [f"names a {registry.noun(mark.kind)}" for mark in info.metadata if isinstance(mark, Names)]
        notes += [f"short: `{verb.name}: ...`"] if field == verb.arguments.shorthand else []
        yield field + (f" ({', '.join(notes)})" if notes else "") + _doc(docs[field])


def _doc(text: str | None) -> str:
    return f": {' '.join(text.split())}" if text else ""


def _element(name: str, registry: Registry) -> Iterator[str]:
    if name not in registry.kinds:
        return
    declaration = registry.declaration(name)
    links = ("listens on", declaration.listens), ("calls", declaration.calls)
    lines = [f"{what} {', '.join(values)}" for what, values in links if values]
    lines += [f"setting {each}" for each in _settings(declaration.config)]
    for section, model in declaration.card.items():
        lines += [f"in a card, {section}.{each}" for each in _settings(model)]
    lines += [f"observable {each.name}: {each.doc}" for each in declaration.observables]
    lines += [f"event {each.type}: {each.doc}" for each in declaration.events]
    lines += [f"control {each.id}" + _doc(each.title) for each in declaration.controls]
    lines += [f"verb {each}" for each in registry.kinds[name].all_verbs()]
    yield paragraph(f"{name}: element, {declaration.title}", *lines)


def _settings(model: type[BaseModel]) -> Iterator[str]:
    for field, text in field_docs(model).items():
        yield field + _doc(text)


def _observable(name: str, registry: Registry) -> Iterator[str]:
    element, dot, observable = name.rpartition(".")
    for kind in registry.kinds:
        for each in registry.declaration(kind).observables:
            if plain(each.name) == plain(observable) and (not dot or element == kind):
                records = f"records with {', '.join(each.fields)}" if each.record else ""
                words = f"one of {', '.join(each.values.words)}" if each.values.words else ""
                yield paragraph(f"{kind}.{each.name}: observable", each.doc, records, words)


def _cause(name: str, registry: Registry) -> Iterator[str]:
    for each, specification in _enumerations():
        for member in each:
            if _means(name, member):
                doc = (each.__doc__ or "").strip().partition("\n")[0]
                head = f"{member.name} ({int(member)}): {each.__name__}{specification and f', {specification}'}"
                yield paragraph(head, doc, *_demands(member, registry), *_consequences(member, registry))


def _consequences(cause: enum.IntEnum, registry: Registry) -> Iterator[str]:
    for kind in registry.kinds:
        declared = registry.declaration(kind).consequences
        told = [each for each in declared if each.cause is cause]
        if not told:
            messages = {each.message for each in declared if isinstance(each.cause, type(cause))}
            told = [each for each in declared if each.cause is None and each.message in messages]
        found: dict[str, list[Consequence]] = {}
        for each in told:
            found.setdefault(each.doc, []).append(each)
        for doc, said in found.items():
            messages_told, by = ", ".join(each.message for each in said), clauses(each.clause for each in said)
            yield f"in {messages_told}: the {kind} {doc} ({by})"


def _demands(cause: enum.IntEnum, registry: Registry) -> Iterator[str]:
    for kind in registry.kinds:
        for each in registry.declaration(kind).demands:
            if each.cause is cause:
                yield f"in {each.message}: no control decides it, the {kind} must when {each.doc} ({each.clause})"


def _means(name: str, member: enum.IntEnum) -> bool:
    asked, _, number = name.rpartition(" ")  # `esm_cause 33`, or the number alone
    if number.isdecimal():
        kind = type(member).__name__.lower()
        if asked:
            return member == int(number[:18]) and kind == asked.replace("_", "")
        return member == int(number[:18]) and any(word in kind for word in ("cause", "result"))
    return plain(name) in (plain(member.name), plain(member.name).removeprefix("diameter_error_"))


def _enumerations() -> Iterator[tuple[type[enum.IntEnum], str]]:
    for path, specification in (each for family in families().values() for each in family.causes):
        for each in vars(import_module(path)).values():
            if isinstance(each, type) and issubclass(each, enum.IntEnum) and each.__module__ == path:
                yield each, specification


_TELLERS = (
    _requirement,
    _control,
    _verb,
    _element,
    _observable,
    *explaining_files.TELLERS,
    *explaining_tables.TELLERS,
    *explaining_rules.TELLERS,
    _cause,
)


def _all_names(registry: Registry) -> list[str]:
    observables = [each.name for kind in registry.kinds for each in registry.declaration(kind).observables]
    causes = [member.name for each, _ in _enumerations() for member in each]
    declared = [*requirements(), *registry.controls, *registry.verbs, *CORE_VERBS, *registry.kinds, *observables]
    return [
        *causes,
        *declared,
        *explaining_rules.names(registry),
        *explaining_files.names(registry),
        *explaining_tables.names(registry),
    ]  # of names that are alike the last is guessed
