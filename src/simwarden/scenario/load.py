"""Reads scenario files: one pass that tells all that is wrong, and gives a Scenario when nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import Field

from simwarden.errors import ConfigError, Place, ScenarioError
from simwarden.plain import plain
from simwarden.policy.requirements import requirements
from simwarden.runtime.declare import Model
from simwarden.scenario import network
from simwarden.scenario.case_reference import folder_tags, join_reference, split_reference
from simwarden.scenario.case_steps import GIVEN
from simwarden.scenario.cases import PARAMETER_KEYS, CaseFile
from simwarden.scenario.document import Scenario
from simwarden.scenario.effects import check_effects, check_expectations
from simwarden.scenario.expectation import ExpectationReader
from simwarden.scenario.identities import Cast, References
from simwarden.scenario.named import check_names
from simwarden.scenario.problems import Problems, guess, nearest
from simwarden.scenario.refusals import check_refusals, check_twin
from simwarden.scenario.registry import Registry
from simwarden.scenario.renamed import Renamed, rename
from simwarden.scenario.secrets import keys_in
from simwarden.scenario.steps import StepReader
from simwarden.scenario.validation import check
from simwarden.scenario.yamlfile import Source, Spot, read

#: octets of the largest file that is read
_LARGEST = 4 << 20


class Header(Model):
    """What a scenario file says beside its elements and steps."""

    scenario: str = Field(min_length=1)
    """The story in one sentence."""
    proves: list[str] = Field(default_factory=list)
    """Ids of the requirements that this scenario proves."""
    twin: str = ""
    """The counterpart that must pass: a file, by a path from this one, or a mapping of what differs from this file."""
    tags: list[str] = Field(default_factory=list)
    """Words by which scenarios are chosen, next to the folders below `scenarios` that hold the file."""
    about: str = ""
    """Anything a reader should know."""
    seed: int | None = None
    """Derives all randomness; by default that of the command line."""
    clock: Literal["", "virtual", "real"] = ""
    """`virtual` (default) or `real`."""
    keep_alives: bool = False
    """Whether keep-alives (watchdogs, heartbeats) run; else virtual time skips them."""


_State: TypeAlias = tuple[int, int]


def _state_of(file: str) -> _State:
    """Return what differs after a file was written. Raises OSError."""
    told = Path(file).stat()
    return told.st_mtime_ns, told.st_size


def read_file(path: str | Path) -> str:
    """Return the text of a file. Raises ConfigError, with what is wrong."""
    try:
        octets = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", Place(str(path))) from error
    if len(octets) > _LARGEST:
        raise ConfigError(f"is larger than {_LARGEST >> 20} MB", Place(str(path)))
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        raise ScenarioError("is no text in UTF-8", Place(str(path), line)) from error


class Loader:
    """Loads scenarios on one registry and one network file; network files are read once.

    `without` are sections of cards by `KIND/SECTION` that are left out: see `Cast`. `renamed` are the words of the
    version before in all that was read.
    """

    def __init__(
        self, registry: Registry | None = None, network_file: str = "", without: frozenset[str] = frozenset()
    ) -> None:
        self.registry = registry or Registry.installed()
        self.network_file, self.without = network_file, without
        self.renamed: list[Renamed] = []
        self._loaded: dict[str, tuple[_State, Scenario]] = {}
        self._files: dict[str, tuple[_State, CaseFile]] = {}
        self.base = self._read_network(network_file) if network_file else Source("")

    def _read_network(self, path: str) -> Source:
        problems = Problems()
        source = self._parse(read_file(path), path, problems)
        if isinstance(source.data, dict) and set(source.data) == {"network"}:
            inner = Source(path, source.data["network"])
            inner.keys = {key[1:]: value for key, value in source.keys.items() if key}
            inner.values = {key[1:]: value for key, value in source.values.items() if key}
            source = inner
        wishes = network.Wishes()
        network.collect(source.data, Spot(source), wishes, problems)
        network.build(self.registry, wishes, problems)
        problems.raise_if_any()
        return source

    def validate(self, reference: str | Path, *, to_run: bool = False) -> Scenario:
        """Read and check one case, the form of its refusals, their effect, and its twin. Raises as `load` does.

        One `to_run` may be one that passes whatever happens: somebody may want to see what does.
        """
        scenario = self.read(reference)
        problems = Problems(scenario.case)
        if not to_run:
            check_expectations(scenario, problems)
        check_refusals(scenario, problems)
        check_effects(scenario, problems)
        check_twin(scenario, self, problems)
        problems.raise_if_any()
        return scenario

    def read(self, reference: str | Path) -> Scenario:
        """Load a case, or return what was loaded of it before if its file is the same still: a twin is read twice."""
        file, _ = split_reference(str(reference))
        try:
            state = _state_of(file)
        except OSError:
            return self.load(reference)
        held = self._loaded.get(str(reference))
        if held is None or held[0] != state:
            held = self._loaded[str(reference)] = (state, self.load(reference))
        return held[1]

    def load(self, reference: str | Path, text: str | None = None) -> Scenario:
        """Read and check one case by itself. Raises ScenarioErrors with all that is wrong, or ConfigError.

        A file that has several cases is loaded by `FILE::case`.
        """
        file, name = split_reference(str(reference))
        found = self.case_file(file, text)
        self._check_parameter_keys(found.source)
        case = found.find(name)
        if case is None:
            known = [each.name for each in found.all_cases if each.name]
            told = f"has no case {name!r}" if name else "has several cases; which one?"
            raise ScenarioError(told, Place(file), guess(name, known))
        problems = Problems(name)
        problems.found += found.problems.found
        source = found.source if found.is_plain else found.document(case, problems)
        if len(problems.found) > len(found.problems.found):
            problems.raise_if_any()  # errors of a document without these values would only be consequences
        scenario = self.assemble(source, problems)
        scenario.case = name
        scenario.keys = tuple(dict.fromkeys((*scenario.keys, *found.keys)))
        if twin := found.twin_of(case):
            scenario.twin = join_reference(file, twin.name)
        return scenario

    def _check_parameter_keys(self, source: Source) -> None:
        """Raise ScenarioErrors for misspelt keys of parameters. Other errors would only be consequences of these."""
        keys = (*PARAMETER_KEYS, GIVEN)
        known = (*keys, *Header.model_fields, "network", "steps", *self.registry.sections)
        problems = Problems()
        for key in source.data if isinstance(source.data, dict) else ():
            if key not in known and nearest(key, known) in keys:
                problems.unknown("key", key, keys, (Spot(source) / key).key)
        problems.raise_if_any()

    def case_file(self, file: str, text: str | None = None) -> CaseFile:
        """Read a file and how its cases differ, once while it is the same.

        What is wrong with either is in its `problems`. Raises ScenarioError for what is no YAML, or ConfigError.
        """
        state = _state_of(file) if text is None and Path(file).exists() else None
        held = self._files.get(file)
        if held is not None and held[0] == state:
            return held[1]
        problems = Problems()
        source = self._parse(read_file(file) if text is None else text, file, problems)
        found = CaseFile(source, problems)
        found.check()
        if state is not None:
            self._files[file] = (state, found)
        return found

    def _parse(self, text: str, path: str, problems: Problems) -> Source:
        source = read(text, path, problems)
        self.renamed += rename(source, self.registry)
        return source

    def assemble(self, source: Source, problems: Problems | None = None) -> Scenario:
        """Check a document that was read or put together; `problems` are those found so far. Raises as `load` does."""
        problems = problems or Problems()
        top, data = Spot(source), source.data
        if not isinstance(data, dict):
            raise ScenarioError("a scenario starts with the key `scenario`", top.place)
        parts = ("network", "steps", *self.registry.sections)
        header = _read_header(data, top, parts, problems)
        references = References()
        wishes, written = network.Wishes(), _as_written("network", data, parts)
        network.collect(self.base.data, Spot(self.base), wishes, problems)
        network.collect(data.get(written, ""), top / written, wishes, problems)
        references.instances.update(network.build(self.registry, wishes, problems))
        cast = Cast(self.registry, references, problems, self.without)
        sections = {each: _as_written(each, data, parts) for each in self.registry.sections}
        for section, key in sections.items():
            cast.announce(section, data.get(key, ""), top / key)
        for section, key in sections.items():
            cast.configure(section, data.get(key, ""), top / key)
        for name, wish in wishes.items():
            if name in references.instances:
                check_names(
                    references.instances[name], network.spot_of(wish), references.instances, problems, self.registry
                )
        network.check_external(self.registry, references.instances, wishes, problems)
        steps = _as_written("steps", data, parts)
        reader = StepReader(ExpectationReader(self.registry, references, problems, data))
        scenario = Scenario(
            path=source.file,
            title=plain(header.scenario.strip()),
            registry=self.registry,
            instances=references.instances,
            cards=cast.cards,
            steps=reader.read(data.get(steps, ""), top / steps),
            proves=tuple(header.proves),
            claimed=tuple((top / "proves" / place).place for place in range(len(header.proves))),
            twin=str(Path(source.file).parent / header.twin) if header.twin else "",
            tags=tuple(dict.fromkeys((*folder_tags(source.file), *header.tags))),
            about=header.about,
            seed=header.seed,
            clock=header.clock,
            keep_alives=header.keep_alives,
            transport=wishes.transport,
            carriers=wishes.carriers,
            utc_offset=wishes.utc_offset,
            facts={key: data[key] for key in parts if key in data and key != "steps"},
            keys=tuple(dict.fromkeys((*keys_in(data), *keys_in(self.base.data)))),
            lines={key: (top / key).key.line for key in data},
            groups=references.groups,
        )
        problems.raise_if_any()
        return scenario


def _as_written(part: str, data: dict[str, Any], parts: tuple[str, ...]) -> str:
    """Return the key under which a part stands; it may be misspelt, which is told, and nothing that follows from it."""
    if part in data:
        return part
    known = (*Header.model_fields, *parts)
    return next((key for key in data if key not in known and nearest(str(key), known) == part), part)


def _read_header(data: dict[str, Any], top: Spot, parts: tuple[str, ...], problems: Problems) -> Header:
    own = {key: value for key, value in data.items() if key not in parts}
    header = check(Header, own, top, problems, also=(*PARAMETER_KEYS, GIVEN, *parts))
    proves = data.get("proves", [])
    for index, name in enumerate(proves if isinstance(proves, list) else ()):
        if isinstance(name, str) and name not in requirements():
            place = (top / "proves" / index).place
            problems.add(f"requirement {name!r} is not known", place, guess(name, requirements()))
    return header or Header.model_construct(scenario=str(data.get("scenario", "")))
