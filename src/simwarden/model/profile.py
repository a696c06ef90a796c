"""What cards are for: the catalogue of uses (guideline, appendix), in the terms by which 3.1 to 3.3 classify cards."""

from __future__ import annotations

import pkgutil
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simwarden.model.form import FormFactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Function(StrEnum):
    """What a card may be opened for (guideline 1)."""

    VOICE = "voice"
    SMS = "sms"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Assessment:
    """What tables 1 to 3 of the guideline ask of a card before it is sold: its functions and attributes.

    `directed` says that its data can be limited to listed destinations, `large` that it needs more than 100 MB a month,
    `fixed` that its terminal does not move. The first two say nothing of a card without data.
    """

    voice: bool = False
    sms: bool = False
    data: bool = False
    directed: bool = False
    large: bool = False
    fixed: bool = False

    @property
    def functions(self) -> tuple[Function, ...]:
        """Its functions, in the order of the tables."""
        return tuple([each for name, each in _FUNCTIONS if getattr(self, name)])


_FUNCTIONS = tuple((each.value, each) for each in Function)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of cards, or a variant of one. What it says is told in our own words; `clause` says where it is from.

    `optional` are functions that some devices of this use need beside those of the assessment. `personal` says whether
    a card leads to one actual user (yes, no, partly), `risk` how risky the use is (low, medium, high), `why` why.
    `alias` is a shorter name; `variant_of` the use that a variant belongs to.
    """

    name: str
    title: str
    title_zh: str
    clause: str
    assessment: Assessment
    optional: tuple[Function, ...]
    form: FormFactor
    personal: str
    risk: str
    why: str
    alias: str = ""
    variant_of: str = ""

    @property
    def allowed(self) -> frozenset[Function]:
        """The functions that a card of this use may have (guideline 3.1.2)."""
        return frozenset((*self.assessment.functions, *self.optional))


@cache
def uses() -> Mapping[str, Use]:
    """All uses and their variants by name, in the order of the appendix."""
    data = pkgutil.get_data("simwarden.model", "uses.toml")
    assert data is not None  # noqa: S101 - the file is part of the package
    rows = tomllib.loads(data.decode())["use"]
    return MappingProxyType({each.name: each for each in _read(rows)})


@cache
def _by_any_name() -> Mapping[str, Use]:
    found = {each.title_zh: each for each in uses().values()}
    return found | {each.alias: each for each in uses().values() if each.alias} | dict(uses())


def find_use(name: str) -> Use | None:
    """Return the use of a name, a shorter name or a Chinese title; None if there is none."""
    return _by_any_name().get(name)


def find_written_use(text: str) -> Use | None:
    """Return the use of a name as people write it: `Smart Metering`, `smart_metering`, `车载wifi`."""
    return find_use(text) or _by_spelling().get(_spelling(text))


@cache
def _by_spelling() -> Mapping[str, Use]:
    return {_spelling(name): each for name, each in _by_any_name().items()}


def _spelling(name: str) -> str:
    return re.sub(r"[\s_]+", "-", name.strip()).casefold()


def use_names() -> tuple[str, ...]:
    """All names that `find_use` knows, Chinese titles first."""
    return tuple(_by_any_name())


def _read(rows: Iterable[Mapping[str, Any]]) -> Iterator[Use]:
    for row in rows:
        base = {key: value for key, value in row.items() if key != "variant"}
        yield _use(base, "")
        for variant in row.get("variant", ()):
            yield _use({**base, "alias": "", **variant}, base["name"])


def _use(row: Mapping[str, Any], variant_of: str) -> Use:
    functions = {each: each in row["functions"] for each in ("voice", "sms", "data")}
    texts = {name: row[name] for name in ("name", "title", "title_zh", "clause", "personal", "risk", "why")}
    return Use(
        **texts,
        assessment=Assessment(**functions, directed=row["directed"], large=row["large"], fixed=row["fixed"]),
        optional=tuple(map(Function, row.get("optional", ()))),
        form=FormFactor(row["form"]),
        alias=row.get("alias", ""),
        variant_of=variant_of,
    )
