"""Where `classify` finds cards: scenarios, and what `export` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from simwarden.cli.card_table import CardRow
from simwarden.errors import ConfigError, Place
from simwarden.model.form import FormFactor
from simwarden.operations.management import reasons
from simwarden.policy.classification import measures
from simwarden.policy.need import Contract, Holding
from simwarden.scenario import suite
from simwarden.scenario.identities import CardKeys
from simwarden.scenario.load import Loader
from simwarden.scenario.registry import Registry
from simwarden.scenario.yamlfile import unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from simwarden.cli.card_table import Known


def controls_by_section(registry: Registry) -> Mapping[str, frozenset[str]]:
    """Return which controls of the tables a section of a card asks for, by the requirements of declared controls."""
    found: dict[str, set[str]] = {}
    for each in (control for kind in registry.kinds for control in registry.declaration(kind).controls):
        for word, measure in measures().items():
            if each.section and each.requirement in measure.requirements:
                found.setdefault(each.section, set()).add(word)
    return {section: frozenset(words) for section, words in found.items()}


def controls_of(registry: Registry) -> Callable[[Mapping[str, Any]], frozenset[str]]:
    """Return what tells, of a card's sections, the controls that they ask for."""
    known = controls_by_section(registry)
    return lambda sections: frozenset(
        word for each, entries in sections.items() if entries for word in known.get(each, ())
    )


def scenario_cards(path: str, network: str, known: Known) -> Iterator[tuple[str, CardRow]]:
    """Yield the cards of a scenario, or of a folder of them, with the path of each one's file."""
    loader = Loader(network_file=network)
    told = controls_of(loader.registry)
    for job in suite.find([path]):
        scenario = loader.load(job.path)
        line = scenario.lines.get("cards", 1)
        for card in scenario.cards.values():
            sections = {entry.section: True for entry in card.entries}
            holding = _holding(card.keys, known, told(sections))
            yield job.path, CardRow(line, card.keys.imsi, card.keys.msisdn, holding)


def exported_cards(path: Path, text: str, known: Known) -> Iterator[CardRow]:
    """Yield the cards of what `export` prints in YAML or JSON. Raises ConfigError for what is not that."""
    try:
        data = json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.CBaseLoader)  # noqa: S506 - texts
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise unread(error, str(path)) from error
    rows = data.get("subscribers") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise ConfigError("a scenario, or a list `subscribers` as `export` prints it, is expected", Place(str(path)))
    return _exported(rows, known, controls_of(Registry.installed()))


def _exported(
    rows: Iterable[Any], known: Known, told: Callable[[Mapping[str, Any]], frozenset[str]]
) -> Iterator[CardRow]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            yield CardRow(number, wrong="keys and values are expected")
            continue
        own = {key: value for key, value in row.items() if key in CardKeys.model_fields and value not in ("", None)}
        sections = row.get("sections") or {}
        try:
            keys = CardKeys.model_validate(own)
            has = told(sections if isinstance(sections, dict) else {})
        except ValueError as error:
            yield CardRow(number, str(row.get("imsi", "")), wrong=_told(error))
        else:
            yield CardRow(number, keys.imsi, keys.msisdn, _holding(keys, known, has))


def _told(error: ValueError) -> str:
    return reasons(error) if isinstance(error, ValidationError) else str(error)


def _holding(keys: CardKeys, known: Known, has: frozenset[str]) -> Holding:
    use = keys.made_for
    return Holding(
        assessment=keys.assessment,
        use=use,
        form=FormFactor(keys.form) if keys.form else use.form,
        has=known.given | has,
        contract=(known.contracts or {}).get(use.name, Contract()),
    )
