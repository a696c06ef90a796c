"""`classify`: what a use, or each card of a file, must have; what it lacks, and has without need."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from simwarden.campaign.grid import check_names
from simwarden.cli import exits
from simwarden.cli.card_table import CardRow, Known, read_cards, read_contracts
from simwarden.cli.csv_rows import read_with_bar
from simwarden.errors import ConfigError, Place
from simwarden.model.profile import Assessment, Use, find_written_use, use_names, uses
from simwarden.operations.number_ranges import load_ranges
from simwarden.policy.classification import classify, measures
from simwarden.policy.need import Holding, Judgement, judge_card, judge_number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from simwarden.cli.card_commands import ClassifyOrder
    from simwarden.policy.classification import Classification
    from simwarden.policy.held import Held
    from simwarden.policy.need import Finding


def classify_target(order: ClassifyOrder) -> None:
    """Classify a use, functions and attributes, or the cards of a file. Ends with the command's exit code."""
    is_file = order.target and (Path(order.target).exists() or Path(order.target).suffix in (".csv", ".yaml", ".json"))
    if is_file and order.facts:
        raise ConfigError("functions and attributes are those of the cards in the file")
    if is_file:
        _classify_cards(order)
        return
    use = find_written_use(order.target) if order.target else None
    if order.target and use is None:
        from simwarden.scenario.problems import guess  # noqa: PLC0415 - only what is wrong needs it

        hint = guess(order.target, use_names()) or f"known: {', '.join(uses())}"
        raise ConfigError(f"no file and no use is called {order.target!r}", hint=hint)
    if use is None and not order.facts:
        raise ConfigError("say a use, functions (--voice, --sms, --data), or a file")
    for name in ("given", "contract", "ranges", "encoding", "network", "failing"):
        if getattr(order, name):
            raise ConfigError(f"--{name} is for the cards of a file")
    _classify_one(order, use)


def _classify_one(order: ClassifyOrder, use: Use | None) -> None:
    facts = dict(order.facts)
    if use is None and (facts.get("directed") or facts.get("large")):
        facts.setdefault("data", True)  # these are attributes of data
    base = use.assessment if use is not None else Assessment()
    assessment = replace(base, **facts)
    if order.json:
        print(json.dumps(_about(use, assessment) | _told(classify(assessment)), indent=2, ensure_ascii=False))
        return
    from simwarden.cli.explaining_rules import attributes, consequences  # noqa: PLC0415 - a command of its own

    head = f"{use.name}: {use.title} ({use.title_zh}), {use.clause}" if use is not None else "a card"
    print(f"{head}\n  functions {', '.join(assessment.functions) or 'none'}; {'; '.join(attributes(assessment))}")
    print("\n".join(consequences(assessment)))


def _about(use: Use | None, assessment: Assessment) -> dict[str, Any]:
    names = ("directed", "large", "fixed")
    return {
        "use": use.name if use is not None else None,
        "functions": list(assessment.functions),
        **{name: getattr(assessment, name) for name in names},
    }


def _told(found: Classification) -> dict[str, Any]:
    return {
        "table": found.table,
        "scene": found.scene,
        "clause": found.clause,
        "in_guideline": found.in_guideline,
        "must_have": [{"control": each.control, "clauses": each.clauses} for each in found.demands],
        "registration": found.registration,
    }


# -- cards of a file


def _classify_cards(order: ClassifyOrder) -> None:
    printer = _JsonPrinter() if order.json else _TablePrinter()
    sums: Counter[str] = Counter()
    judge = _Judge(order)
    for path, row in _cards(order):
        if row.wrong or row.holding is None:
            sums["wrong"] += 1
            printer.unread(path, row)
            continue
        found = judge(row.holding, row.msisdn)
        sums["cards"] += 1
        sums["fits" if found.fits else "falls short"] += 1
        sums["lacks"] += bool(found.lacks)
        sums["needless"] += bool(found.needless)
        if not (order.failing and found.fits):
            printer.card(path, row, row.holding, found)
    if not sums["cards"] and not sums["wrong"]:
        raise ConfigError("no card is in it", Place(order.target))
    printer.end(sums)
    if sums["wrong"]:
        raise typer.Exit(exits.USAGE)
    raise typer.Exit(exits.FAILED if sums["falls short"] else exits.PASSED)


class _Judge:
    """Judges cards; of those that have the same, one."""

    def __init__(self, order: ClassifyOrder) -> None:
        self._ranges = load_ranges(order.ranges)
        self._judge = lru_cache(maxsize=4096)(partial(judge_card, ranges=self._ranges))

    def __call__(self, card: Holding, number: str) -> Judgement:
        found = self._judge(card)
        wrong = judge_number_of(number, self._ranges)
        return Judgement(found.classification, wrong + found.lacks, found.needless) if wrong else found


def _cards(order: ClassifyOrder) -> Iterator[tuple[str, CardRow]]:
    path = Path(order.target)
    known = _known(order)
    if path.is_dir() or (path.suffix in (".yaml", ".yml") and _is_scenario(path)):
        from simwarden.cli.card_sources import scenario_cards  # noqa: PLC0415 - a CSV file needs no elements

        yield from scenario_cards(order.target, order.network, known)
    elif path.suffix in (".yaml", ".yml", ".json"):
        from simwarden.cli.card_sources import exported_cards  # noqa: PLC0415 - as above

        for row in exported_cards(path, known):
            yield order.target, row
    else:
        read = partial(read_cards, path=order.target, known=known, tell=exits.complain)
        yield from ((order.target, row) for row in read_with_bar(order.target, order.encoding, read))


def _is_scenario(path: Path) -> bool:
    from simwarden.scenario.load import read_file  # noqa: PLC0415 - a CSV file needs no elements

    return any(line.startswith("scenario:") for line in read_file(path).splitlines())


def _known(order: ClassifyOrder) -> Known:
    given = check_names(order.given or [], measures(), "control")
    contracts = read_contracts(Path(order.contract)) if order.contract else {}
    return Known(frozenset(given), contracts, _read_sections)


def _read_sections(sections: Mapping[str, Any]) -> Held:
    """Return what sections of an exported card say of it."""
    return _section_reader()(sections)


@cache
def _section_reader() -> Callable[[Mapping[str, Any]], Held]:
    from simwarden.cli.card_sources import Sections  # noqa: PLC0415 - as above
    from simwarden.scenario.registry import Registry  # noqa: PLC0415 - as above

    return Sections(Registry.installed())


class _TablePrinter:
    """A line a card: who it is, what it is, what it must have; and below it what is wrong."""

    def card(self, path: str, row: CardRow, card: Holding, found: Judgement) -> None:
        """Print a card."""
        what = found.classification
        place = f"{what.table}.{what.scene}{'' if what.in_guideline else '*'}"
        use = card.use.name if card.use is not None else "no use"
        state = "fits" if found.fits else "falls short"
        lines = [
            f"{path}:{row.line}: {row.imsi or row.msisdn}  {use}, scene {place}  {state}; must have {_words(what)}"
        ]
        lines += [f"  lacks {'; '.join(map(str, found.lacks))}"] if found.lacks else []
        lines += [f"  without need: {'; '.join(map(str, found.needless))}"] if found.needless else []
        sys.stdout.write("\n".join(lines) + "\n")

    def unread(self, path: str, row: CardRow) -> None:
        """Complain of a line."""
        exits.complain(f"{path}:{row.line}: {row.wrong}")

    def end(self, sums: Counter[str]) -> None:
        """Print the sum."""
        print(
            f"{sums['cards']} cards: {sums['fits']} fit, {sums['lacks']} lack something, {sums['needless']} have "
            f"something without need; {sums['wrong']} lines cannot be read"
            "\nscene TABLE.SCENE of the guideline's tables 1 to 3; *: these functions together are not in the guideline"
        )


@lru_cache(maxsize=256)
def _words(found: Classification) -> str:
    return f"{', '.join(each.control for each in found.demands) or 'nothing'}; {found.registration}"


class _JsonPrinter:
    """One JSON object, written card by card; then the lines that cannot be read, and the sum."""

    def __init__(self) -> None:
        self._before = '{"cards": ['
        self._unread: list[dict[str, Any]] = []

    def card(self, path: str, row: CardRow, card: Holding, found: Judgement) -> None:
        """Write a card."""
        data = {"file": path, "line": row.line, "imsi": row.imsi, "msisdn": row.msisdn, "fits": found.fits}
        data |= _about(card.use, card.assessment) | _told(found.classification)
        data |= {"lacks": _findings(found.lacks), "without_need": _findings(found.needless)}
        sys.stdout.write(f"{self._before}\n{json.dumps(data, ensure_ascii=False)}")
        self._before = ","

    def unread(self, path: str, row: CardRow) -> None:
        """Complain of a line, and keep it for the end."""
        exits.complain(f"{path}:{row.line}: {row.wrong}")
        self._unread.append({"file": path, "line": row.line, "what": row.wrong})

    def end(self, sums: Counter[str]) -> None:
        """Write the sum."""
        told = {name: sums[name] for name in ("cards", "fits", "lacks", "needless", "wrong")}
        start = self._before if self._before != "," else ""
        unread = json.dumps(self._unread, ensure_ascii=False)
        sys.stdout.write(f'{start}\n], "unread": {unread}, "sum": {json.dumps(told)}}}\n')


def _findings(found: Iterable[Finding]) -> list[dict[str, Any]]:
    return [{"what": each.what, "clauses": each.clauses} for each in found]
