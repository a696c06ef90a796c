"""`export`: the subscribers that an external element must hold, and its settings (access codes, gateways, accounts)."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import yaml

from simwarden.cli.exits import complain
from simwarden.cli.shipped import located
from simwarden.errors import ConfigError
from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.problems import guess
from simwarden.scenario.provisioning import provision_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simwarden.scenario.document import Scenario
    from simwarden.scenario.network import Instance

_COLUMNS = (
    *("imsi", "msisdn", "iccid", "k", "opc", "profile", "form", "name", "scenario", "sections"),
    *("functions", "directed", "large", "fixed"),  # where the card says so itself
)


def export_subscribers(
    paths: Sequence[str], element: str, form: str, network: str, seed: int, *, stand_ins: bool = False
) -> None:
    """Print the cards of all scenarios as an element would be told of them, each IMSI once.

    With `stand_ins` also those that `prove` puts in their place, which lack what the element's controls go by.
    """
    loader = Loader(network_file=network)
    rows: dict[str, dict[str, Any]] = {}
    _collect(loader, paths, element, seed, rows)
    if stand_ins:
        declared = [(kind, loader.registry.declaration(kind)) for kind in loader.registry.kinds]
        sections = {f"{kind}/{each.section}" for kind, it in declared for each in it.controls if each.section}
        _collect(Loader(network_file=network, without=frozenset(sections)), paths, element, seed, rows)
    print(_TEXTS[form]({"subscribers": list(rows.values())}), end="")


def export_settings(paths: Sequence[str], element: str, form: str, network: str) -> None:
    """Print what the scenarios say of an element, as `settings` of a file for `serve`."""
    if form == "csv":
        raise ConfigError("settings are no table", hint="--format yaml or json")
    loader = Loader(network_file=network)
    first, settings = "", {}
    for job in suite.find(located(paths)):
        scenario = loader.load(job.reference)
        told = _instance(scenario, element).config.model_dump(mode="json", exclude_defaults=True)
        if not first:
            first, settings = scenario.title, told
        elif told != settings:
            complain(f"{job.reference}: {element} has other settings than in {first!r}")
    print(_TEXTS[form]({"settings": settings}), end="")


def _instance(scenario: Scenario, element: str) -> Instance:
    """Return an element of a network. Raises ConfigError."""
    instance = scenario.instances.get(element)
    if instance is None or instance.section:
        known = [name for name, each in scenario.instances.items() if not each.section]
        raise ConfigError(f"the network has no element {element!r}", hint=guess(element, known))
    return instance


def _collect(loader: Loader, paths: Sequence[str], element: str, seed: int, rows: dict[str, dict[str, Any]]) -> None:
    for job in suite.find(located(paths)):
        scenario = loader.load(job.reference)
        instance = _instance(scenario, element)
        chosen = seed if scenario.seed is None else scenario.seed
        for card in scenario.cards.values():
            declaration = loader.registry.declaration(instance.kind)
            body = provision_of(card, declaration, chosen).model_dump(mode="json", exclude_none=True)
            row = {"scenario": scenario.title, **{column: body[column] for column in _COLUMNS if column in body}}
            first = rows.setdefault(card.keys.imsi, row)
            if {**first, "scenario": "", "name": ""} != {**row, "scenario": "", "name": ""}:
                complain(
                    f"{job.reference}: {card.name} has the IMSI of a card of {first['scenario']!r}, but is not the same"
                )


def _csv(document: dict[str, Any]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in document["subscribers"]:
        sections = json.dumps(row["sections"], ensure_ascii=False)
        writer.writerow(row | {"sections": sections, "functions": " ".join(row.get("functions", ()))})
    return text.getvalue()


_TEXTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "yaml": lambda document: str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True)),
    "json": lambda document: json.dumps(document, indent=2, ensure_ascii=False) + "\n",
    "csv": _csv,
}
