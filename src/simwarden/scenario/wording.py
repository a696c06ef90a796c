"""Whether what an expectation names can be at all: fields by their names, values by what who declares them says."""

from __future__ import annotations

import ipaddress
import re
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simwarden.model.identity import Plmn
from simwarden.model.values import TEXT, plain
from simwarden.scenario.bounds import check_bounds, is_bounds
from simwarden.scenario.identities import Identity
from simwarden.scenario.problems import guess
from simwarden.scenario.validation import short

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from simwarden.model.values import Values
    from simwarden.policy.decision import Control
    from simwarden.scenario.identities import References
    from simwarden.scenario.network import Instance
    from simwarden.scenario.problems import Problems
    from simwarden.scenario.yamlfile import Spot

#: parts of a file that say what is to be seen, and so give no names
_JUDGING = frozenset({"expect", "never", "scenario", "about", "twin", "tags", "proves"})
_ANY_KIND, _CONTROL, _OCCASION = "element", "control", "occasion"


class Wording:
    """Checks words of expectations.

    `controls` are those that there are, by id with the kinds that have them; `document` is the whole file, in which the
    user's own names are looked for.
    """

    def __init__(
        self,
        references: References,
        problems: Problems,
        controls: Mapping[str, Collection[tuple[str, Control]]] = MappingProxyType({}),
        document: Any = None,
    ) -> None:
        self.references, self.problems, self._controls, self._document = references, problems, controls, document
        #: whether what is checked is what should never be
        self.never = False

    @cached_property
    def _occasions(self) -> frozenset[str]:
        pairs = (pair for each in self._controls.values() for pair in each)
        return frozenset(str(occasion) for _, control in pairs for occasion in control.occasions)

    @cached_property
    def _given(self) -> frozenset[str]:
        """All names and values of the file outside its expectations, and of what is set in its network."""
        texts = (*_texts(self._document), *self._settings)
        return frozenset(plain(part) for text in texts for part in (text, *_PARTS.split(text)))

    @cached_property
    def _settings(self) -> frozenset[str]:
        return frozenset(_texts([each.config.model_dump(mode="json") for each in self._instances]))

    @cached_property
    def _codes(self) -> frozenset[str]:
        """The numbers that the file sets as a cause or result (`mismatch: {experimental_result: 5901}`)."""
        return frozenset(_codes([self._document, *(each.config.model_dump(mode="json") for each in self._instances)]))

    @cached_property
    def foreign(self) -> bool:
        """Whether somebody's real element is in the network, which has names of its own."""
        return any(each.external is not None for each in self._instances)

    @property
    def _instances(self) -> Collection[Instance]:
        return self.references.instances.values()

    def gives(self, name: str) -> bool:
        """Whether a name stands in the file outside its expectations, or in its network's settings."""
        return plain(name) in self._given

    def fields(
        self, what: str, want: Mapping[str, Any], known: Mapping[str, Values], spot: Spot, *, optional: bool = False
    ) -> None:
        """Check the fields of a mapping, by any spelling that is compared alike; `optional`: any may be absent."""
        for key, value in want.items():
            name = key if key in known else next((each for each in known if plain(each) == plain(key)), None)
            if name is None:
                hint = _holder(key, known) or guess(key, known)
                self.problems.add(f"field of {what} {key!r} is not known", (spot / key).key, hint)
            else:
                may_be = known[name].beside(want)
                self.value(name, value, may_be.or_none() if optional else may_be, spot / key)

    def value(self, what: str, want: Any, values: Values, spot: Spot) -> None:
        """Check a value that is wanted: of a list each, of a mapping its fields, or bounds of a number."""
        if isinstance(want, dict):
            self._mapping(what, want, values, spot)
        elif isinstance(want, list):
            for index, each in enumerate(want):
                self.value(what, each, values, spot / index)
        elif want == "" and values.optional and not values.fits(""):
            self.problems.add(f"{what}: nothing is said", spot.place, "no value is written none")
        elif isinstance(want, Identity) and values.identities and want.which not in values.identities:
            self.problems.add(f"{what} is never an {want.which.upper()}", spot.place, f"{values.about} is expected")
        elif self.never and values.free and not self._is_told(want, values):
            said = f"{what}: nobody can tell whether {short(want)} is misspelt, which would pass `never`"
            self.problems.add(said, spot.place, "say what it comes with: a control, a cause, whom it is about")
        elif not self._may_be(str(want), values):
            self.problems.add(f"{what} is never {short(want)}", spot.place, self._hint(str(want), values))

    def _mapping(self, what: str, want: Mapping[str, Any], values: Values, spot: Spot) -> None:
        if values.inside is not None:
            self.fields(what, want, values.inside(), spot, optional=True)
        elif is_bounds(want) and values.fits("1") and not values.free:
            check_bounds(what, want, spot, self.problems)
        elif not values.loose:
            hint = "a number may have the bounds at_least and at_most" if values.fits("1") and not values.free else ""
            self.problems.add(f"{what} is {values.about} and has no fields", spot.place, hint)

    def _is_told(self, want: Any, values: Values) -> bool:
        """Whether a text that may be any is one that the file gives, or its network."""
        return isinstance(want, Identity) or self.gives(str(want)) or self._may_be(str(want), values.told())

    def typed(self, want: Any, values: Values | None) -> Any:
        """Return what is wanted with each identity known as one, so that it is compared by what identifies."""
        if values is None:
            return want
        if isinstance(want, dict):
            return self.typed_fields(want, values.inside() if values.inside is not None else {})
        if isinstance(want, list):
            return [self.typed(each, values) for each in want]
        if isinstance(want, Identity) or len(values.identities) != 1 or not values.fits(str(want)):
            return want
        return Identity.of(str(want), *values.identities)

    def typed_fields(self, want: Mapping[str, Any], known: Mapping[str, Values]) -> dict[str, Any]:
        """Return the fields that are wanted; see `typed`."""
        by_plain = {plain(name): each for name, each in known.items()}
        return {key: self.typed(each, known.get(key) or by_plain.get(plain(key))) for key, each in want.items()}

    def _may_be(self, text: str, values: Values) -> bool:
        if values.may_be(text):
            return True
        if any(self._names(kind, text) for kind in values.kinds):
            return True
        if values.given and (self.foreign or self.gives(text)):
            return True
        if values.named and text in self._codes:  # a code of the operator's own, as it is set
            return True
        inside = values.inside() if values.inside is not None else {}
        # that it is some free text in there is not meant: any misspelt word would be
        return any(self._may_be(text, each) for each in inside.values() if each.inside is None and each != TEXT)

    def _names(self, kind: str, text: str) -> bool:
        if kind == _CONTROL:
            return text in self._controls
        if kind == _OCCASION:
            return text in self._occasions
        if kind == "client":
            return self.foreign or self.gives(text) or text.rpartition("-")[2] in self.references.instances
        if kind == "session":
            return _SESSION.fullmatch(text) is not None and self._names("host", text.partition(";")[0])
        if kind in _FORMS:
            formed = _FORMS[kind].fullmatch(text) is not None
            return formed and (self.problems.unset or self.foreign or self.gives(text) or self._has(kind, text))
        instance = self.references.instances.get(text)
        return instance is not None and kind in (_ANY_KIND, instance.kind)

    def _has(self, kind: str, text: str) -> bool:
        """Whether the network has a host (named after its element), a realm, an APN, an address or place."""
        if kind == "host":
            name, _, realm = text.partition(".")
            return name in self.references.instances and (self._has("realm", realm) or self.gives(realm))
        if kind == "realm":
            return any(text.lower() == each.realm for each in self._plmns)
        if kind == "apn":
            return any(self.gives(text.lower().removesuffix(f".{each.operator_identifier}")) for each in self._plmns)
        if kind == "address":
            address = _network(text)
            return address is not None and any(address.network_address in each for each in self._networks)
        return text.lower() in self._places

    @cached_property
    def _plmns(self) -> list[Plmn]:
        """The networks that are set: their realms are those of nodes where none is set (TS 23.003 19.2, 9.1.2)."""
        return [Plmn.parse(text) for text in self._settings if _PLMN.fullmatch(text)]

    @cached_property
    def _networks(self) -> frozenset[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """The IP networks and addresses that are set."""
        return frozenset(network for text in self._settings if (network := _network(text)) is not None)

    @cached_property
    def _places(self) -> frozenset[str]:
        return frozenset(place for each in self._instances for place in each.config.places(each.name))

    def _hint(self, text: str, values: Values) -> str:
        instances = self.references.instances
        known = [*values.words, *(name for name in instances if any(self._names(kind, name) for kind in values.kinds))]
        known += [*(self._controls if _CONTROL in values.kinds else ())]
        known += [*(self._occasions if _OCCASION in values.kinds else ())]
        return guess(text, known) or f"{values.about} is expected"


#: parts of the names of settings that are codes of a protocol
_CODES = frozenset({"cause", "causes", "result", "answer"})
_NODE, _PLACE = r"[0-9a-z_-]+(\.[0-9a-z_-]+)+", r"\d{3}-\d{2,3}-[0-9a-f]"
#: what many texts may look like, of which a network has some
_FORMS = {
    kind: re.compile(form, re.IGNORECASE | re.ASCII)
    for kind, form in {
        "host": _NODE,
        "realm": _NODE,
        "apn": r"[0-9a-z-]+(\.[0-9a-z-]+)*\.gprs",
        "address": "[0-9a-f.:]+",
        "tai": f"{_PLACE}{{4}}",
        "cell": f"{_PLACE}{{7}}",
        "station": f"{_PLACE}{{5}}",
    }.items()
}
_SESSION = re.compile(r"[^;]+;\d+;\d+(;.*)?", re.ASCII)
_PLMN = re.compile(r"\d{3}-\d{2,3}", re.ASCII)
_PARTS = re.compile(r"[,;/\s]+")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Return an IP network, or an address as the smallest one, if a text is either."""
    try:
        return ipaddress.ip_network(text) if "." in text or ":" in text else None
    except ValueError:
        return None


def _texts(value: Any) -> Iterator[str]:
    """Yield all keys and scalars of a document, without its expectations."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in _JUDGING:
                yield str(key)
                yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
    elif value is not None:
        yield str(value)


def _codes(value: Any, *, coded: bool = False) -> Iterator[str]:
    """Yield the numbers of a document that stand where a cause or result is set."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in _JUDGING:
                yield from _codes(each, coded=coded or not _CODES.isdisjoint(plain(str(key)).split("_")))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _codes(each, coded=coded)
    elif coded and str(value).isdecimal():
        yield str(value)


def _holder(key: str, known: Mapping[str, Values]) -> str:
    """Return a hint if one of the known fields has a field of that name inside."""
    for name, values in known.items():
        if values.inside is not None and plain(key) in map(plain, values.inside()):
            return f"it is a field of {name}: {name}: {{{key}: ...}}"
    return ""
