"""Where `classify` finds cards: scenarios, and what `export` prints."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from simwarden.cli.card_table import CardRow
from simwarden.cli.serving_subscribers import entries_in
from simwarden.model.form import FormFactor
from simwarden.operations.management import reasons
from simwarden.policy.classification import measures
from simwarden.policy.held import Held, Holds
from simwarden.scenario import suite
from simwarden.scenario.identities import CardKeys
from simwarden.scenario.load import Loader
from simwarden.scenario.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from simwarden.cli.card_table import Known
    from simwarden.policy.need import Holding


def controls_by_section(registry: Registry) -> Mapping[str, frozenset[str]]:
    """Return which controls of the tables a section of a card asks for, by the requirements of declared controls."""
    found: dict[str, set[str]] = {}
    for each in (control for kind in registry.kinds for control in registry.declaration(kind).controls):
        for word, measure in measures().items():
            if each.section and each.requirement in measure.requirements:
                found.setdefault(each.section, set()).add(word)
    return {section: frozenset(words) for section, words in found.items()}


class Sections:
    """Reads what the sections of a card say of it."""

    def __init__(self, registry: Registry) -> None:
        self._offered, self._controls = registry.card_sections, controls_by_section(registry)

    def __call__(self, sections: Mapping[str, Any]) -> Held:
        """Return what all of them say, each a list of entries. Raises ValueError for one that is not valid."""
        found = Held()
        for section, entries in sections.items():
            for entry in entries if isinstance(entries, list) else [entries] if entries else []:
                found |= self._read(section, entry)
        return found

    def _read(self, section: str, entry: Any) -> Held:
        if not isinstance(entry, dict):
            raise ValueError(f"{section}: keys and values are expected")  # noqa: TRY004 - a fault of the file
        offered = [each for each in self._offered.get(section, ()) if not each.by or entry.get("by") in each.by]
        if section in self._offered and not offered:
            raise ValueError(f"{section} by {entry.get('by')!r} is not known")
        found = Held()
        for model in dict.fromkeys(each.model for each in offered):
            try:
                said = model.model_validate(entry)
            except ValidationError as error:
                raise ValueError(f"{section}: {reasons(error)}") from None
            found |= said.held() if isinstance(said, Holds) else Held(self._controls.get(section, frozenset()))
        return found


def scenario_cards(path: str, network: str, known: Known) -> Iterator[tuple[str, CardRow]]:
    """Yield the cards of a scenario, or of a folder of them, with the path of each one's file."""
    loader = Loader(network_file=network)
    read = Sections(loader.registry)
    for job in suite.find([path]):
        for card in loader.load(job.reference).cards.values():
            held = reduce(or_, (read({each.section: [each.values]}) for each in card.entries), Held())
            yield job.reference, CardRow(card.line, card.keys.imsi, card.keys.msisdn, _holding(card.keys, known, held))


def exported_cards(path: Path, known: Known) -> Iterator[CardRow]:
    """Yield the cards of what `export` prints in YAML or JSON. Raises ConfigError for what is not that."""
    read = Sections(Registry.installed())
    for number, (row, line) in enumerate(entries_in(path, texts=True), 1):
        if not isinstance(row, dict):
            yield CardRow(line, wrong=f"entry {number}: keys and values are expected")
            continue
        own = {key: value for key, value in row.items() if key in CardKeys.model_fields and value not in ("", None)}
        sections = row.get("sections") or {}
        try:
            keys = CardKeys.model_validate(own)
            held = read(sections if isinstance(sections, dict) else {})
        except ValueError as error:
            yield CardRow(line, str(row.get("imsi", "")), wrong=f"entry {number}: {_told(error)}")
        else:
            yield CardRow(line, keys.imsi, keys.msisdn, _holding(keys, known, held))


def _told(error: ValueError) -> str:
    return reasons(error) if isinstance(error, ValidationError) else str(error)


def _holding(keys: CardKeys, known: Known, held: Held) -> Holding:
    form = FormFactor(keys.form) if keys.form else keys.made_for.form
    return known.holding(keys.assessment, keys.made_for, held, form=form)
