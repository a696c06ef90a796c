"""Cards and terminals of a scenario: their identities, given or made up, and the names that refer to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError, ValidationInfo, field_validator, model_validator

from simwarden.model.form import FormFactor  # noqa: TC001 - a field's type, resolved by pydantic
from simwarden.model.identity import check_iccid, check_imsi, check_msisdn, luhn_digit
from simwarden.model.profile import Assessment, Function, Use, find_use, use_names
from simwarden.runtime.declare import Model
from simwarden.scenario.named import check_names, names_in
from simwarden.scenario.network import Instance
from simwarden.scenario.problems import guess, plain
from simwarden.scenario.validation import check, short
from simwarden.scenario.yamlfile import parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simwarden.scenario.problems import Problems
    from simwarden.scenario.registry import Registry
    from simwarden.scenario.yamlfile import Spot

#: home network of made-up cards: the test network of TS 36.523 and the like
_HOME = "00101"
#: an identity by the name of who has it
REFERENCE = re.compile(r"([A-Za-z][\w-]*)\.([a-z_]+)")
_PART = re.compile(r"([A-Za-z][\w-]*)/(\w+|\*)")
#: instances that one name may stand for
MOST = 10_000


def _is_wrong(config: type[BaseModel], key: str, value: Any) -> bool:
    """Whether a setting is told as wrong by itself; then whatever refers to it is not told as well."""
    try:
        config.model_validate({key: value})
    except ValidationError as error:
        return any(each["loc"][:1] == (key,) for each in error.errors(include_url=False))
    return False


class CardKeys(Model):
    """What a card is, apart from what elements want to know of it. All of it may be left out."""

    use: str = ""
    """What the card is for: a use of the guideline's appendix, by default `meter`."""
    profile: str = ""
    """The former word for `use`."""
    functions: tuple[Function, ...] | None = None
    """What the card is opened for (voice, sms, data); by default what its use needs."""
    directed: bool | None = None
    """Whether its data can be limited to listed destinations; by default as its use says."""
    large: bool | None = None
    """Whether it needs more than 100 MB a month; by default as its use says."""
    fixed: bool | None = None
    """Whether its terminal stays where it is; by default as its use says."""
    form: FormFactor | None = None
    """The form factor; by default that of the use."""
    imsi: Annotated[str, AfterValidator(lambda value: value and check_imsi(value))] = ""
    """IMSI, 6 to 15 digits; by default made up in network 001-01."""
    iccid: Annotated[str, AfterValidator(check_iccid)] = ""
    """ICCID, 19 or 20 digits; by default made up of the IMSI."""
    msisdn: Annotated[str, AfterValidator(check_msisdn)] = ""
    """The number; by default made up of the IMSI, 13 digits."""
    k: str = Field(default="", repr=False, pattern="^([0-9A-Fa-f]{32})?$")
    """The subscriber key, 32 hexadecimal digits; by default derived from the seed."""
    opc: str = Field(default="", repr=False, pattern="^([0-9A-Fa-f]{32})?$")
    """OPc, 32 hexadecimal digits; by default derived from the seed."""

    @field_validator("use", "profile")
    @classmethod
    def _known_use(cls, value: str, info: ValidationInfo) -> str:
        if value and find_use(value) is None:
            raise ValueError(f"{info.field_name} {value!r} is not known ({guess(value, use_names())})")
        return value

    @model_validator(mode="after")
    def _one_use(self) -> CardKeys:
        if self.use and self.profile:
            raise ValueError("profile is the former word for use; say one of them")
        return self

    @property
    def made_for(self) -> Use:
        """The use that the card is made for."""
        found = find_use(self.use or self.profile or "meter")
        assert found is not None  # noqa: S101 - the validator lets no other in
        return found

    @property
    def assessment(self) -> Assessment:
        """The effective profile: what the use says, and what the card says instead."""
        said = {name: getattr(self, name) for name in ("directed", "large", "fixed")}
        if self.functions is not None:
            said |= {each.value: each in self.functions for each in Function}
        return replace(self.made_for.assessment, **{name: value for name, value in said.items() if value is not None})


@dataclass(slots=True)
class CardEntry:
    """One part of a section of a card (`binding`), and the element kinds that it is for."""

    section: str
    kinds: tuple[str, ...]
    values: dict[str, Any]


@dataclass(slots=True)
class Card:
    """A card of the scenario."""

    name: str
    keys: CardKeys
    entries: list[CardEntry] = field(default_factory=list)
    #: the line of the file that names it
    line: int = 1

    def sections_for(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        """Return what an element kind is told of the card's sections."""
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in self.entries:
            if kind in entry.kinds:
                found.setdefault(entry.section, []).append(entry.values)
        return found


def make_up_card(keys: CardKeys, number: int) -> CardKeys:
    """Fill in what a file leaves out of its `number`-th card (from 1); what two cards have alike is their IMSI."""
    imsi = keys.imsi or f"{_HOME}{number:010d}"
    number = int(imsi[5:])
    body = f"89{imsi[:5]}{number:011d}"
    return keys.model_copy(
        update={
            "imsi": imsi,
            "iccid": keys.iccid or body + luhn_digit(body),
            "msisdn": keys.msisdn or f"1440{number:09d}",
            "form": keys.form or keys.made_for.form,
        }
    )


def stand_in(keys: CardKeys) -> CardKeys:
    """Return a card of other identities, the same for the same card, and else alike."""

    def moved(digits: str, position: int) -> str:
        return digits[:position] + ("8" if digits[position] == "9" else "9") + digits[position + 1 :]

    body = moved(keys.iccid[:-1], 7)
    update = {"imsi": moved(keys.imsi, 5), "msisdn": moved(keys.msisdn, 4), "iccid": body + luhn_digit(body)}
    return keys.model_copy(update=update)


class Identity(str):
    """What `name.identity` stands for; `which` says which identity it is (`imei`)."""

    __slots__ = ("which",)
    which: str

    @classmethod
    def of(cls, text: str, which: str) -> Identity:
        """Return a text that knows which identity it is."""
        made = cls(text)
        made.which = which
        return made


def _replaced(value: Any, spot: Spot, change: Callable[[str, Spot], str]) -> Any:
    """Return a value with each text in it changed, at any depth."""
    if isinstance(value, dict):
        return {key: _replaced(each, spot / key, change) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, spot / index, change) for index, each in enumerate(value)]
    return change(value, spot) if isinstance(value, str) else value


def _names_in(value: Any) -> Iterator[str]:
    """Yield what may be names of instances in a value, at any depth: alone, in `name.identity` or in a path."""
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _names_in(each)
    elif isinstance(value, str):
        yield value
        yield from (match[1] for match in REFERENCE.finditer(value))


class References:
    """The names of a file, and what `name.identity` stands for.

    A name may stand for several instances (`count`): `groups` holds their names. While a part of the file is read for
    one of them, `at` says which, and the names of other groups stand for their member of the same place. `miscounted`
    are names whose count is wrong: each stands for one instance, as which it was not meant.
    """

    def __init__(self) -> None:
        self.instances: dict[str, Instance] = {}
        self.groups: dict[str, tuple[str, ...]] = {}
        self.miscounted: set[str] = set()
        self.at: int | None = None

    def one(self, name: str, spot: Spot, problems: Problems) -> str:
        """Return the instance that a name stands for here; of a group without a place it is told that it is many."""
        members = self.groups.get(name)
        if members is None:
            return name
        if self.at is None or self.at >= len(members):
            problems.add(
                f"{name} stands for {len(members)}: which of them is meant?", spot.place, f"as in {members[0]}"
            )
            return members[0]
        return members[self.at]

    def groups_in(self, value: Any) -> tuple[str, ...]:
        """Return the groups that a value names, at any depth: alone, in `group.identity` or in a path."""
        return tuple(name for name in dict.fromkeys(_names_in(value)) if name in self.groups) if self.groups else ()

    def meant_many(self, value: Any) -> bool:
        """Tell whether a value names something that has a count, be it right or wrong."""
        return any(name in self.groups or name in self.miscounted for name in _names_in(value))

    def member(self, value: Any, spot: Spot) -> Any:
        """Return a value with each group that stands alone in it replaced by its member of the present place."""
        at = self.at
        if at is None:
            return value
        members = {name: group[at] for name, group in self.groups.items() if at < len(group)}
        return _replaced(value, spot, lambda text, _: members.get(text, text))

    def resolve(self, value: Any, spot: Spot, problems: Problems) -> Any:
        """Replace every `name.identity` in a value, at any depth."""
        return _replaced(value, spot, lambda text, at: self._resolved(text, at, problems))

    def _resolved(self, text: str, spot: Spot, problems: Problems) -> str:
        match = REFERENCE.fullmatch(text)
        if match is None:
            return text
        if match[1] not in self.instances and match[1] not in self.groups:
            return self._nobodys(match[1], match[2], spot, problems) or text
        found = Identity.of(self.identity(self.one(match[1], spot, problems), match[2], spot, problems), match[2])
        meant = self._meant(spot)
        if meant and found and found.which not in meant:
            told = f"{spot.key_name} is never an {found.which.upper()}"
            problems.add(told, spot.place, f"an {' or '.join(each.upper() for each in meant)} is expected")
        return found

    def _meant(self, spot: Spot) -> list[str]:
        """Return the identities of which a key speaks by its name (`imei`, `imeis`); none: it is no matter of these."""
        known = {which for each in self.instances.values() for which in each.identities}
        words = [word if word in known else word.removesuffix("s") for word in plain(spot.key_name).split("_")]
        return [word for word in words if word in known]

    def _nobodys(self, name: str, which: str, spot: Spot, problems: Problems) -> str:
        """Note that nobody has the name in `name.identity`; return an identity of the same kind, empty: it is none."""
        others = [each.identities[which] for each in self.instances.values() if which in each.identities]
        if others:
            known = [f"{each}.{which}" for each, it in self.instances.items() if which in it.identities]
            problems.nobody(name, f"nothing here is called {name!r}", spot.place, guess(f"{name}.{which}", known))
        return others[0] if others else ""

    def places(self, value: Any, spot: Spot, problems: Problems) -> Any:
        """Replace every `name/part` in a value, at any depth, by the part's identity (`enb/1` by its E-CGI)."""
        return _replaced(value, spot, lambda text, at: self._place(text, at, problems))

    def _place(self, text: str, spot: Spot, problems: Problems) -> str:
        match = _PART.fullmatch(text)
        parts = self.instances[match[1]].config.parts(match[1]) if match and match[1] in self.instances else {}
        if match is None or not parts:
            return text  # maybe one that looks alike, as the topic `card/refused`
        if match[2] not in parts and not problems.unset:
            problems.add(f"{match[1]} has no part {match[2]!r}", spot.place, guess(match[2], parts))
        return parts.get(match[2], next(iter(parts.values())))  # one of the form that is expected, wherever it is wrong

    def identity(self, name: str, which: str, spot: Spot, problems: Problems) -> str:
        """Return an identity of an instance, or note that it has none such."""
        identities = self.instances[name].identities
        if which not in identities:
            problems.add(f"{name} has no identity {which!r}", spot.place, guess(which, identities))
        return identities.get(which, "")

    def fill(self, text: str, spot: Spot, problems: Problems) -> str:
        """Replace every `{name.identity}` in a text."""

        def replace(match: re.Match[str]) -> str:
            if match[1] not in self.instances and match[1] not in self.groups:
                told = f"name {match[1]!r} is not known"
                problems.nobody(match[1], told, spot.place, guess(match[1], self.instances))
                return match[0]
            return self.identity(self.one(match[1], spot, problems), match[2], spot, problems) or match[0]

        return re.sub(r"\{" + REFERENCE.pattern + r"\}", replace, text)


class Cast:
    """Reads the sections of a scenario whose entries are instances: cards, devices.

    `without` names sections by `KIND/SECTION` (`hss/binding`) that cards are to lack. A card that has one is replaced
    by a stand-in that has it not: of another IMSI and number, since the element of that kind may be outside this
    process and hold the card itself.
    """

    def __init__(
        self,
        registry: Registry,
        references: References,
        problems: Problems,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self.registry, self.references, self.problems, self.without = registry, references, problems, without
        self.cards: dict[str, Card] = {}
        self._number = 0

    def announce(self, section: str, data: Any, spot: Spot) -> None:
        """Take names and identities first, so that any part of the file may refer to any other."""
        if data == "":
            return
        if not isinstance(data, dict):
            self.problems.add(f"{section}: names with their properties are expected, not {short(data)}", spot.place)
            self.problems.nameless = True
            return
        kind = self.registry.sections[section]
        number = 0
        for name, entry in data.items():
            here = spot / name
            if entry not in ("", None) and not isinstance(entry, dict):
                self.problems.add(f"{name}: keys and values are expected, not {short(entry)}", here.place)
            own, members = self._members(name, entry if isinstance(entry, dict) else {}, here)
            known = {*self.references.instances, *self.references.groups}
            if taken := known & {name, *members}:
                for each in sorted(taken):
                    self.problems.add(f"two elements are called {each!r}", here.key)
                continue
            if members != (name,):
                self.references.groups[name] = members
            for member in members:
                number += 1
                instance = Instance(member, kind, self.registry.declaration(kind).config.model_construct(), section)
                self._identify(instance, own, number, here)
                self.references.instances[member] = instance

    def _members(self, name: str, entry: dict[str, Any], spot: Spot) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return an entry without its `count`, and the names of the instances that it stands for.

        One whose count is wrong stands for itself: what is said of it elsewhere is not wrong too.
        """
        if "count" not in entry:
            return entry, (name,)
        rest = {key: value for key, value in entry.items() if key != "count"}
        text = str(entry["count"])
        if not text.isdecimal() or len(text) > len(str(MOST)) or not 0 < int(text) <= MOST:
            self.problems.add(
                f"count: a number from 1 to {MOST} is expected, not {short(entry['count'])}", (spot / "count").place
            )
            self.references.miscounted.add(name)
            return rest, (name,)
        if given := [key for key in ("imsi", "iccid", "msisdn", "imei", "k", "opc") if key in rest]:
            self.problems.add(f"{name}: {given[0]} is one, and {text} are asked for", (spot / given[0]).key)
        return rest, tuple(f"{name}-{number}" for number in range(1, int(text) + 1))

    def _identify(self, instance: Instance, entry: dict[str, Any], number: int, spot: Spot) -> None:
        if instance.section == "cards":
            given = {key: value for key, value in entry.items() if key in CardKeys.model_fields}
            keys = check(CardKeys, given, spot, self.problems)
            keys = make_up_card(keys or CardKeys(), number)
            if self.without and any(self._lacks(section, entry[section]) for section in entry):
                keys = stand_in(keys)
            self.cards[instance.name] = Card(instance.name, keys, line=spot.key.line)
            instance.identities = {"imsi": keys.imsi, "iccid": keys.iccid, "msisdn": keys.msisdn}
        else:
            config = self.registry.declaration(instance.kind).config
            sound = {key: value for key, value in entry.items() if not _is_wrong(config, key, value)}
            instance.identities = dict(config.identities(sound, number))

    def _lacks(self, section: str, value: Any) -> bool:
        """Whether a part of this section is among those that cards are to lack."""
        parts = value if isinstance(value, list) else [value]
        words = [part.get("by") for part in parts if isinstance(part, dict)]
        offered = self.registry.card_sections.get(section, ())
        return any(
            f"{each.kind}/{section}" in self.without and (not each.by or word in each.by)
            for each in offered
            for word in words
        )

    def configure(self, section: str, data: Any, spot: Spot) -> None:
        """Check the properties of announced instances, with their references resolved."""
        for name, entry in data.items() if isinstance(data, dict) else ():
            if entry and not isinstance(entry, dict):
                continue
            group = self.references.groups.get(name)
            own = {key: value for key, value in (entry or {}).items() if key != "count"}
            for place, member in enumerate(group or (name,)):
                instance = self.references.instances.get(member)
                if instance is not None and instance.section == section:
                    self.references.at = None if group is None else place
                    self._configure(instance, own, spot / name)
            self.references.at = None

    def _configure(self, instance: Instance, entry: dict[str, Any], spot: Spot) -> None:
        before = len(self.problems.found)
        resolved = self.references.resolve(entry, spot, self.problems)
        if len(self.problems.found) > before or self.problems.nameless:
            return  # what follows from an identity that is none would be told beside it
        if instance.section == "cards":
            resolved = self._split_card(instance.name, resolved, spot)
        model = self.registry.declaration(instance.kind).config
        for identity, value in instance.identities.items():
            if identity in model.model_fields:
                resolved.setdefault(identity, value)
        of_card = (*CardKeys.model_fields, *self.registry.card_sections) if instance.section == "cards" else ()
        config = check(model, resolved, spot, self.problems, also=("count", *of_card))
        if config is not None:
            instance.config = config
            check_names(instance, spot, self.references.instances, self.problems, self.registry)

    def _split_card(self, name: str, entry: dict[str, Any], spot: Spot) -> dict[str, Any]:
        """Take sections and the keys of every card out of an entry; return what is the card element's own."""
        own = self.registry.declaration(self.registry.sections["cards"]).config.model_fields
        rest = {}
        keys = self.cards[name].keys.model_dump(mode="json")
        for key, value in entry.items():
            if key in self.registry.card_sections:
                self._read_section(name, key, entry, spot / key)
            elif key not in keys:
                rest[key] = value
        return rest | {key: value for key, value in keys.items() if key in own and value}

    def _read_section(self, card: str, section: str, written: dict[str, Any], spot: Spot) -> None:
        for part, here in parts_of(written[section], spot):
            entry = self._read_part(section, self.references.places(part, here, self.problems), here)
            if entry is not None:
                self.cards[card].entries.append(entry)
                for kind in entry.kinds:
                    self._check_holds(kind, section, written, here)

    def _read_part(self, section: str, part: Any, spot: Spot) -> CardEntry | None:
        offered = self.registry.card_sections[section]
        if not isinstance(part, dict):
            self.problems.add(f"{section}: keys and values are expected, not {short(part)}", spot.place)
            return None
        words = [word for each in offered for word in each.by]
        wanted = part.get("by")
        chosen = [each for each in offered if not each.by or wanted in each.by]
        if words and wanted is None and not [each for each in offered if not each.by]:
            self.problems.add(f"{section} must say by whom", spot.place, f"by: {' or '.join(dict.fromkeys(words))}")
            return None
        if not chosen:
            self.problems.unknown(f"{section} by", str(wanted), words, (spot / "by").place)
            return None
        for model in dict.fromkeys(each.model for each in chosen):
            check(model, part, spot, self.problems)
        kinds = tuple(each.kind for each in chosen if f"{each.kind}/{section}" not in self.without)
        return CardEntry(section, kinds, part)

    def _check_holds(self, kind: str, section: str, card: dict[str, Any], spot: Spot) -> None:
        """Note a part of a card that no element which is told of it would let hold."""
        network = [each for each in self.references.instances.values() if not each.section]
        outside = any(each.external is not None for each in network)
        found = [each for each in network if each.kind == kind and each.external is None]
        apns = next((known for each in network if (known := each.config.apns_of(card))), ())
        why = {
            each.name: each.config.refuses(
                section,
                asked=outside
                or any(
                    each.name in names_in(other) and other.config.asks(each.name, apns)
                    for other in network
                    if other is not each
                ),
            )
            for each in found
        }
        if found and all(why.values()):
            self.problems.add(f"{section} would not hold at {found[0].name}: {why[found[0].name]}", spot.place)
