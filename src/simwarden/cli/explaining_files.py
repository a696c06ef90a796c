"""`explain` for what stands in files and on the wire: keys, settings, interfaces, messages."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from simwarden.model.interfaces import INTERFACES
from simwarden.runtime.declare import field_docs
from simwarden.scenario.identities import CardKeys
from simwarden.scenario.load import Header
from simwarden.scenario.message_fields import carries, infos_on, names_on
from simwarden.scenario.problems import plain
from simwarden.scenario.reference.settings import fields_of, settings_of
from simwarden.scenario.words import WORDS
from simwarden.wire.family import on_interface

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from simwarden.model.interfaces import Interface
    from simwarden.runtime.declare import EventKind, Model
    from simwarden.scenario.reference.settings import Setting
    from simwarden.scenario.registry import Registry
    from simwarden.wire.family import MessageField, MessageInfo

#: values of an enumeration up to which all are told, and how many are of more
_MANY: Final = 6
_FEW: Final = 3


def paragraph(head: str, *lines: str) -> str:
    """Return a meaning: its head, and below it the lines that are not empty."""
    return "\n".join([head, *(f"  {' '.join(line.split())}" for line in lines if line)])


def word(name: str, _registry: Registry) -> Iterator[str]:
    """Tell of a word of scenario, network and `serve` files."""
    found = WORDS.get(name)
    if found is not None:
        yield paragraph(f"{name}: {found.kind}", found.doc, found.example)
    for model, kind in _models().items():
        if name in model.model_fields and (text := field_docs(model)[name]):
            yield paragraph(f"{name}: {kind}", text)


def _models() -> dict[type[Model], str]:
    from simwarden.cli.serving_file import ServeFile  # noqa: PLC0415 - servers load when they are named

    return {Header: "key of a scenario", CardKeys: "key of a card", ServeFile: "key of a `serve` file"}


def setting(name: str, registry: Registry) -> Iterator[str]:
    """Tell of settings and of what stands in a card: `hss.mismatch`, `causes.barred`, `binding.learn`, `mismatch`."""
    last = name.rpartition(".")[2].removesuffix("[]").lower()
    for kind, section, model in _places(registry):
        if last not in {each.lower() for each in fields_of(model)}:  # reading docstrings takes long
            continue
        found = _settings(model, section)
        for each in found:
            known = (each.path, f"{kind}.{each.path}", each.path.rpartition(".")[2])
            if name in known or name.lower() in known:
                place = f"in a card, for {kind}" if section else f"setting of {kind}"
                below = [one for one in found if one.path.startswith((f"{each.path}.", f"{each.path}["))]
                lines = (f"{one.path} ({_values(one)}): {one.doc}" for one in below)
                yield paragraph(f"{each.path}: {place} ({_values(each)})", each.doc, *lines)


def _values(each: Setting) -> str:
    default = "required" if each.required else f"default {each.default}" if each.default else ""
    return ", ".join(filter(None, (each.values, default)))


def _places(registry: Registry) -> Iterator[tuple[str, str, type[BaseModel]]]:
    """Yield where settings are: the kind of element, the section of a card (empty: its own), and the model."""
    for kind in registry.kinds:
        declaration = registry.declaration(kind)
        yield kind, "", declaration.config
        for section, model in declaration.card.items():
            yield kind, section, model


@cache
def _settings(model: type[BaseModel], section: str) -> tuple[Setting, ...]:
    return tuple(settings_of(model, f"{section}." if section else ""))


def section(name: str, registry: Registry) -> Iterator[str]:
    """Tell of a section of a card."""
    for each in registry.card_sections.get(name, ()):
        doc = (each.model.__doc__ or "").strip().partition("\n")[0]
        words = f" with `by: {' or '.join(each.by)}`" if each.by else ""
        fields = (f"{field.path}: {field.values}. {field.doc}" for field in settings_of(each.model, f"{name}."))
        yield paragraph(f"{name}: section of a card, for {each.kind}{words}", doc, *fields)


def interface(name: str, registry: Registry) -> Iterator[str]:
    """Tell of a reference point: who speaks there, and what."""
    for each in INTERFACES.values():
        if plain(each.name) == plain(name):
            lines = [f"{each.name}: interface, {each.protocol}, port {each.port} ({each.spec})"]
            for side in ("listens", "calls"):
                kinds = [kind for kind in registry.kinds if each.name in getattr(registry.declaration(kind), side)]
                lines += [f"  {side}: {', '.join(kinds)}"] if kinds else []
            lines.append(f"  messages, as in `expect: {{{each.name.lower()}.{_first(each)}: {{...}}}}`:")
            yield "\n".join([*lines, *(f"    {name}" for name in _carried(each))])


def _first(each: Interface) -> str:
    return next(iter(_carried(each)), "MESSAGE")


def _carried(each: Interface) -> list[str]:
    """Return the names of an interface's messages; of those of several applications its own and the common ones."""
    return sorted(names_on(each.name))


def message(name: str, _registry: Registry) -> Iterator[str]:
    """Tell of a message and its fields, alone or with its interface, or of one field (`attach-reject.emm_cause`)."""
    found: dict[tuple[str, MessageInfo | None, str], list[str]] = {}
    for each in INTERFACES.values():
        short, _, field = name.lower().removeprefix(f"{each.name.lower()}.").partition(".")
        short = _short_names(each.name).get(short.upper(), short).replace("_", "-")
        for full in (short, f"{short}-request", f"{short}-answer"):
            if carries(each.name, full):
                for info in infos_on(each.name, full) or (None,):
                    found.setdefault((full, info, field.replace("-", "_")), []).append(each.name)
    for (short, info, field), interfaces in found.items():
        yield from _message(short, info, field, interfaces)


@cache
def _short_names(interface: str) -> dict[str, str]:
    return {short: name for family in on_interface(interface) for short, name in family.read().short_names().items()}


def _message(name: str, info: MessageInfo | None, field: str, interfaces: list[str]) -> Iterator[str]:
    written = " or ".join(f"{each.lower()}.{name}" for each in interfaces)
    fields = info.fields if info is not None else ()
    if field:
        for each in fields:
            if each.name == field:
                values = (f"{member.name} ({int(member)})" for member in each.values or ())
                yield paragraph(f"{field}: field of {written}{_always(each)}", *values)
        return
    told = [each.name for each in fields]
    shown = next((each for each in _causes(interfaces[0]) if each in told), next(iter(told), ""))
    example = f"expect: {{{interfaces[0].lower()}.{name}: {{{shown}: ...}}}}" if fields else ""
    head = f"{written}: message on {', '.join(interfaces)}" + (f", {info.about}" if info else "")
    yield paragraph(head, example, *map(_field, fields))


def _causes(interface: str) -> Iterator[str]:
    """Yield the fields that hold causes, which an expectation of a message mostly names."""
    for family in on_interface(interface):
        yield from (each.name for each in family.cause_fields)


def _field(each: MessageField) -> str:
    members = [f"{member.name} ({int(member)})" for member in each.values or ()]
    more = f" and {len(members) - _FEW} more" if len(members) > _MANY else ""
    values = ", ".join(members[:_FEW] if more else members) + more
    return f"{each.name}{_always(each)}" + (f": {values}" if values else "")


def _always(each: MessageField) -> str:
    return " (always there)" if each.required else ""


def event(name: str, registry: Registry) -> Iterator[str]:
    """Tell of an event that goes to the operator's systems."""
    found: dict[EventKind, list[str]] = {}
    for kind in registry.kinds:
        for each in registry.declaration(kind).events:
            if each.type == name:
                found.setdefault(each, []).append(kind)
    for each, kinds in found.items():
        data = f"data: {', '.join(each.data)}" if each.data else ""
        yield paragraph(f"{name}: event of {', '.join(kinds)}, by MQTT", each.doc, data)


def names(registry: Registry) -> Iterator[str]:
    """Yield all names that are told of here."""
    yield from WORDS
    for model in _models():
        yield from model.model_fields
    yield from registry.card_sections
    for each in INTERFACES.values():
        yield each.name
        for name in _carried(each):
            yield from (f"{each.name.lower()}.{name}", name)
            yield from (f"{name}.{field.name}" for info in infos_on(each.name, name) for field in info.fields)
    for kind, place, held in _places(registry):
        yield from (name for one in _settings(held, place) for name in (one.path, f"{kind}.{one.path}"))
    for kind in registry.kinds:
        yield from (each.type for each in registry.declaration(kind).events)


TELLERS = (word, section, interface, message, setting, event)
