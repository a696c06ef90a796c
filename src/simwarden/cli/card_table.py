"""An operator's list of cards as CSV, with columns in English or Chinese; and contracts by use (YAML)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from simwarden.cli.csv_rows import Row, bare, read_rows
from simwarden.errors import ConfigError, Place
from simwarden.model import units
from simwarden.model.form import FormFactor
from simwarden.model.identity import bindable_imei, check_imsi
from simwarden.model.profile import Assessment, find_written_use
from simwarden.policy.access_list import Destination, check_number
from simwarden.policy.held import Held
from simwarden.policy.need import Contract, Holding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from simwarden.model.profile import Use

T = TypeVar("T")

#: the words for a column, in lower case and without spaces; the first one is the name in messages
COLUMNS = {
    "imsi": ("imsi",),
    "msisdn": ("msisdn", "number", "物联网号码", "号码", "卡号"),
    "use": ("use", "profile", "使用场景", "场景", "用途"),
    "functions": ("functions", "功能", "开通功能"),
    "apn": ("apn", "apns"),
    "data": ("data_list", "addresses", "data", "流量白名单", "定向流量白名单"),
    "sms": ("sms_list", "sms_numbers", "sms", "短信白名单", "定向短信白名单"),
    "voice": ("voice_list", "voice_numbers", "voice", "语音白名单", "定向语音白名单"),
    "directed_by": ("directed_by", "定向方式"),
    "quota": ("quota", "限额", "流量限额", "限额管控"),
    "binding": ("binding", "机卡绑定"),
    "form": ("form", "卡片形态", "卡片限定"),
    "area": ("area", "区域限制"),
    "blacklist": ("blacklist", "黑名单", "黑名单限制"),
    "monitoring": ("monitoring", "监测", "使用监测"),
    "registered": ("registered", "登记", "登记要求"),
    "directed": ("directed", "定向流量"),
    "large": ("large", "大流量"),
    "fixed": ("fixed", "位置固定"),
    "sections": ("sections",),
}
_NAMES = {word: column for column, words in COLUMNS.items() for word in words}
#: columns of `export` that say nothing of what a card must have
_EXPORTED = {"iccid", "k", "opc", "name", "scenario"}
_YES = dict.fromkeys(("yes", "y", "true", "1", "是", "有", "√"), True)
_NO = dict.fromkeys(("", "no", "n", "none", "false", "0", "-", "否", "无", "×"), False)
_FUNCTIONS = {"voice": "voice", "语音": "voice", "sms": "sms", "短信": "sms"}
_FUNCTIONS |= dict.fromkeys(("data", "流量", "数据"), "data")
_FORMS = {"贴片卡": "soldered", "贴片": "soldered", "异形卡": "odd-shaped", "插拔卡": "plug-in", "普通卡": "plug-in"}
_BINDINGS = _YES | dict.fromkeys(
    ("hss", "cmp", "eir", "pool", "card", "uicc", "applet", "interlock", "池", "互锁"), True
)
#: the ways of 2.2.3(3); a whitelist is told by its entries
_WAYS = _YES | dict.fromkeys(("vpdn", "专线", "专线vpdn", "apn", "专用apn", "edge", "接入侧", "接入侧控制"), True)
_CATEGORIES = {"social": 1, "社交": 1, "video": 2, "视频": 2, "shopping": 4, "购物": 4, "games": 8, "游戏": 8}
_REGISTERED = {"unit": "unit", "单位": "unit", "登记单位": "unit", "user": "user", "个人": "user", "实名个人": "user"}
_LIST = re.compile(r"[\s;|,；，、+]+")


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card of a file: where it stands, who it is, and what it is and has; or what is wrong with its line."""

    line: int
    imsi: str = ""
    msisdn: str = ""
    holding: Holding | None = None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of all cards of a file: controls that the network gives each, contracts by use, sections."""

    given: frozenset[str] = frozenset()
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    read_sections: Callable[[Mapping[str, Any]], Held] = lambda _sections: Held()

    def holding(self, assessment: Assessment, use: Use | None, held: Held, **own: Any) -> Holding:
        """Return a card with what its sections and lists say, and what is known of all cards."""
        lists = {name: getattr(held, name) for name in ("voice", "sms", "data", "apns")}
        contract = self.contracts.get(use.name, Contract()) if use is not None else Contract()
        return Holding(assessment, use, has=self.given | held.has, contract=contract, **lists, **own)


def read_cards(file: Iterable[str], path: str, known: Known, tell: Callable[[str], None]) -> Iterator[CardRow]:
    """Yield the cards of a file. `tell` hears of columns that are not read. Raises ConfigError for a wrong head."""
    rows = read_rows(file)
    head = next(rows, Row(1, []))
    if head.wrong:
        raise ConfigError(f"{head.wrong}{head.span}", Place(path, 1))
    columns = _columns(head.cells, path, tell)
    read = _Reader(columns, known)
    seen: set[str] = set()
    for row in rows:
        found = CardRow(row.line, wrong=row.wrong) if row.wrong else _row(row, len(head.cells), read, seen)
        yield replace(found, wrong=f"{found.wrong}{row.span}") if found.wrong and row.span else found


def _row(row: Row, wanted: int, read: _Reader, seen: set[str]) -> CardRow:
    line, cells = row.line, row.cells
    if len(cells) != wanted:
        return CardRow(line, wrong=f"{len(cells)} cells, and the head has {wanted} columns")
    imsi = read.identity("imsi", cells)
    msisdn = read.identity("msisdn", cells)
    try:
        if imsi or "msisdn" not in read.columns:
            check_imsi(imsi)
        elif not msisdn:
            raise ValueError("neither IMSI nor number")  # noqa: TRY301 - told as all else that is wrong
        if (imsi or msisdn) in seen:
            raise ValueError(f"{imsi or msisdn} stands in a line before")  # noqa: TRY301
        seen.add(imsi or msisdn)
        return CardRow(line, imsi, msisdn, read.holding(cells))
    except ValueError as error:
        hint = "; a spreadsheet has rounded it" if re.search(r"\dE\+\d", imsi + msisdn) else ""
        return CardRow(line, imsi, msisdn, wrong=f"{error}{hint}")


def _columns(names: list[str], path: str, tell: Callable[[str], None]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for index, name in enumerate(names):
        column = _NAMES.get(re.sub(r"[\s-]+", "_", name.strip().lower()))
        if column in columns:
            raise ConfigError(f"two columns are {COLUMNS[column][0]}", Place(path, 1))
        if column is None and name not in _EXPORTED:
            tell(f"{path}:1: column {name.strip()!r} is not read")
        elif column is not None:
            columns[column] = index
    if not {"imsi", "msisdn"} & set(columns) or not {"use", "functions"} & set(columns):
        raise ConfigError(
            "the head must name imsi or msisdn, and use or functions",
            Place(path, 1),
            hint=f"columns: {', '.join(words[0] for words in COLUMNS.values())}",
        )
    return columns


class _Reader:
    """Reads cells into a Holding; lines with the same cells, apart from identities, are read once."""

    _REMEMBERED = 4096

    def __init__(self, columns: dict[str, int], known: Known) -> None:
        self.columns, self._known = columns, known
        self._places = [(name, index) for name, index in columns.items() if name not in ("imsi", "msisdn")]
        self._read: dict[tuple[str, ...], Holding] = {}

    def identity(self, column: str, cells: list[str]) -> str:
        """Return an identity, empty if there is none."""
        index = self.columns.get(column)
        return "" if index is None else bare(cells[index])

    def holding(self, cells: list[str]) -> Holding:
        """Return what a line says of its card. Raises ValueError that names the column."""
        key = tuple([cells[index] for _, index in self._places])
        found = self._read.get(key)
        if found is None:
            if len(self._read) >= self._REMEMBERED:
                self._read.clear()
            found = self._read[key] = self._make({name: cells[index].strip() for name, index in self._places})
        return found

    def _make(self, cells: Mapping[str, str]) -> Holding:
        said = {name: _read(name, text) if text else None for name, text in cells.items()}
        use = said.get("use")
        form = use.form if use is not None and "sections" in cells else None
        held = Held(_told(said), *[said.get(name) or () for name in ("voice", "sms", "data", "apn")])
        if sections := said.get("sections"):
            held |= self._known.read_sections(sections)
        own = {"form": said.get("form") or form, "quota": said.get("quota")}
        registered = (said["registered"] or "") if "registered" in said else None
        return self._known.holding(_assessment(use, said), use, held, **own, registered=registered)


@lru_cache(maxsize=1 << 14)
def _read(column: str, text: str) -> Any:
    """Read a cell that is not empty. Raises ValueError that names the column."""
    try:
        return _READ[column](text)
    except ValueError as error:
        raise ValueError(f"{COLUMNS[column][0]}: {error}") from None


def _use(text: str) -> Use:
    found = find_written_use(text)
    if found is None:
        raise ValueError(f"no use is called {text!r}; `simwarden explain class.uses` lists them")
    return found


def _assessment(use: Use | None, said: Mapping[str, Any]) -> Assessment:
    functions = said.get("functions")
    if functions is None and use is None:
        raise ValueError("neither a use nor functions")
    facts = {name: said[name] for name in ("directed", "large", "fixed") if said.get(name) is not None}
    if functions is not None:
        facts |= {name: name in functions for name in ("voice", "sms", "data")}
    return replace(use.assessment if use is not None else Assessment(), **facts)


def _choice(words: Mapping[str, T], wrong: str) -> Callable[[str], T]:
    """Return what reads a cell that holds one of some words; `wrong` says what any other word is."""

    def read(text: str) -> T:
        try:
            return words[text.lower().replace(" ", "")]
        except KeyError:
            raise ValueError(f"{text!r} is {wrong}") from None

    return read


_yes = _choice(_YES | _NO, "neither yes nor no")
_bound = _choice(_BINDINGS | _NO, "no binding; write hss, cmp, pool, card, an IMEI, yes or no")


def _functions(text: str) -> frozenset[str]:
    if text.lower() in _NO:
        return frozenset()
    words = [word.removeprefix("定向") for word in _LIST.split(text.lower()) if word]
    if unknown := [word for word in words if word not in _FUNCTIONS]:
        raise ValueError(f"{unknown[0]!r} is not one of voice, sms, data")
    return frozenset(_FUNCTIONS[word] for word in words)


def _told(said: Mapping[str, Any]) -> frozenset[str]:
    words = ("binding", "area", "blacklist", "monitoring")
    return frozenset([*filter(said.get, words), *(["directed-data"] if said.get("directed_by") else [])])


def _area(text: str) -> bool:
    return text.lower() not in _NO


def _binding(text: str) -> bool:
    if text.isascii() and text.isdigit() and 14 <= len(text) <= 16:
        bindable_imei(text)
        return True
    return _bound(text)


def _blacklist(text: str) -> bool:
    """Whether it holds the four kinds of 2.2.4."""
    if text.lower() in _YES | _NO:
        return _yes(text)
    kinds = 0
    for word in filter(None, _LIST.split(text.lower())):
        kinds |= _CATEGORIES.get(word, 0)
    return kinds == 15


def _form(text: str) -> FormFactor:
    try:
        return FormFactor(_FORMS.get(text, text.lower()))
    except ValueError:
        raise ValueError(f"{text!r} is no form; write {', '.join(each.value for each in FormFactor)}") from None


def octets(text: str) -> int | None:
    """Read a quota a month: `30 MB`, `1.5GB`, `30` (MB); None for `unlimited` and the like. Raises ValueError."""
    plain = text.lower().replace(" ", "")
    if plain in {"unlimited", "none", "no", "-", "不限", "无"}:
        return None
    try:
        return units.octets(text, "mb")
    except ValueError as error:
        raise ValueError(f"{error} or unlimited") from None


def _each(text: str, read: Callable[[str], Any]) -> tuple[Any, ...]:
    if text.lower() in _NO:
        return ()
    return tuple([read(word) for word in dict.fromkeys(_LIST.split(text)) if word])


def _sections(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - a fault of the file
    return found


_numbers = partial(_each, read=check_number)
_READ: Mapping[str, Callable[[str], Any]] = {
    "use": _use,
    "functions": _functions,
    "apn": partial(_each, read=str.lower),
    "data": partial(_each, read=Destination.parse),
    "sms": _numbers,
    "voice": _numbers,
    "directed_by": _choice(_WAYS | _NO, "no way to direct data; write vpdn, apn or edge, and a whitelist as data_list"),
    "quota": octets,
    "binding": _binding,
    "form": _form,
    "area": _area,
    "blacklist": _blacklist,
    "monitoring": _yes,
    "registered": _choice(_REGISTERED | dict.fromkeys(_NO, ""), "neither unit nor user"),
    "directed": _yes,
    "large": _yes,
    "fixed": _yes,
    "sections": _sections,
}


# -- contracts

_CONTRACT_LISTS = {"data": Destination.parse, "sms": check_number, "voice": check_number, "apns": str.lower}


def read_contracts(path: Path) -> Mapping[str, Contract]:
    """Read a file such as `smart-metering: {data: ["192.0.2.10:443"], sms: ["1069012"], apns: [meters], quota: 30 MB}`.

    Raises ConfigError.
    """
    from simwarden.scenario.load import read_file  # noqa: PLC0415 - only who has contracts pays for it
    from simwarden.scenario.problems import Problems  # noqa: PLC0415
    from simwarden.scenario.yamlfile import read  # noqa: PLC0415

    problems = Problems()
    data = read(read_file(path), str(path), problems).data
    problems.raise_if_any()
    if not isinstance(data, dict):
        raise ConfigError("uses with what their contract names are expected", Place(str(path)))
    found = {}
    for name, said in data.items():
        use = find_written_use(str(name))
        try:
            if use is None:
                raise ValueError("no use is called so")  # noqa: TRY301 - told as all else that is wrong
            found[use.name] = _contract(said)
        except ValueError as error:
            raise ConfigError(f"{name}: {error}", Place(str(path))) from error
    return found


def _contract(said: Any) -> Contract:
    if not isinstance(said, dict) or set(said) - {*_CONTRACT_LISTS, "quota"}:
        raise ValueError(f"a contract names {', '.join([*_CONTRACT_LISTS, 'quota'])} and nothing else")
    lists: dict[str, tuple[Any, ...]] = {}
    for name, read in _CONTRACT_LISTS.items():
        if name in said:
            if not isinstance(said[name], list) or not all(isinstance(each, str) for each in said[name]):
                raise ValueError(f"{name}: a list is expected")
            lists[name] = tuple(read(each) for each in said[name])
    return Contract(**lists, quota=octets(said["quota"]) if "quota" in said else None)
