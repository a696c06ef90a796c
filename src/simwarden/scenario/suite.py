"""Many scenarios: found, chosen and run, one after another or spread over processes, with the same results."""

from __future__ import annotations

import fnmatch
import gc
import multiprocessing
import os
import re
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache, partial
from itertools import count, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from simwarden.errors import ConfigError, InternalError, Place, ScenarioError
from simwarden.scenario.case_reference import capture_name, join_reference, split_reference
from simwarden.scenario.problems import guess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from simwarden.scenario.document import Scenario
    from simwarden.scenario.result import ScenarioResult
    from simwarden.scenario.runner import RunOptions

T = TypeVar("T")
R = TypeVar("R")
_SUFFIXES = (".yaml", ".yml")
#: a top-level key, the first one with or without a byte order mark
_KEY = re.compile(r"^[\ufeff\ufffd]*['\"]?(\w+)['\"]?[ \t]*:", re.MULTILINE)
#: that a file has several cases: it varies something, or describes its twin
_HAS_CASES = re.compile(r"^(?:vary|exclude)[ \t]*:|^twin[ \t]*:[ \t]*(?:[{#]|$)", re.MULTILINE)
#: similarity of a misspelt `scenario` key (difflib ratio)
_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Job:
    """A case of a scenario file by its reference, and the name under which its results are kept."""

    reference: str
    name: str

    @property
    def case(self) -> str:
        """The name of the case; empty for a file that is its only case."""
        return split_reference(self.reference)[1]


def is_scenario(text: str) -> bool:
    """Tell whether a YAML text has a top-level `scenario:` key, without parsing it."""
    return "scenario" in _KEY.findall(text)


def by_file(jobs: Iterable[Job]) -> list[list[Job]]:
    """Return jobs grouped by file, as far as those of one file stand together."""
    return [[*group] for _, group in groupby(jobs, lambda job: split_reference(job.reference)[0])]


def find(references: Iterable[str]) -> list[Job]:
    """Return the cases in files and folders, in the order given. Raises ConfigError for a missing path or case.

    `FILE::case` stands for that case alone. A file that is named is taken as a scenario whatever is in it; in a
    folder only files with a `scenario:` key are, in any spelling and encoding, so that mistakes in it are reported.
    """
    jobs: dict[str, Job] = {}
    captures: set[str] = set()
    for given in references:
        file, case = split_reference(given)
        root = Path(file)
        if root.is_dir():
            if case:
                raise ConfigError("a folder has no cases: name one of its files", Place(given))
            if not os.access(root, os.R_OK | os.X_OK):
                raise ConfigError("cannot be read: Permission denied", Place(given))
            files = sorted(path for path in root.rglob("*") if path.suffix in _SUFFIXES and _looks_like_one(path))
        elif root.exists():
            files, root = [root], root.parent
        else:
            raise ConfigError("there is no such file or folder", Place(given))
        for path in files:
            for reference in _cases_of(path, case):
                if reference not in jobs:
                    name = join_reference(_name(path, root), split_reference(reference)[1])
                    jobs[reference] = Job(reference, _unique(name, captures))
    return list(jobs.values())


def _cases_of(path: Path, wanted: str) -> list[str]:
    """Return the cases of a file by their references, or the one that is wanted. Raises ConfigError if it is none."""
    known = case_names(path)
    if wanted and wanted not in known:
        raise ConfigError(f"has no case {wanted!r}", Place(str(path)), guess(wanted, filter(None, known)))
    return [join_reference(path, case) for case in ([wanted] if wanted else known)]


def case_names(path: Path) -> list[str]:
    """Return the names of the cases of a file, of which only the keys are read that tell them.

    A file in which they cannot be read is one case: whoever loads it says what is wrong.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return [""]
    if not _HAS_CASES.search(text):
        return [""]
    from simwarden.scenario.cases import outline_of  # noqa: PLC0415 - few commands meet a file with cases

    try:
        outline = outline_of(text, str(path))
    except ScenarioError:
        return [""]
    return [case.name for case in outline.all_cases]


def _looks_like_one(path: Path) -> bool:
    try:
        text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return True  # whoever loads it tells why it cannot be read
    keys = {each.lower() for each in _KEY.findall(text.replace("\0", ""))}
    return bool(get_close_matches("scenario", keys, cutoff=_ALIKE))


def _name(path: Path, root: Path) -> str:
    inside = path.relative_to(root).with_suffix("")
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", "-".join(inside.parts)) or "scenario"


def _unique(name: str, captures: set[str]) -> str:
    """Return a name whose capture is none of those in use, and add that to them."""
    tried = (name if n == 1 else f"{name}-{n}" for n in count(1))
    chosen = next(each for each in tried if capture_name(each) not in captures)
    captures.add(capture_name(chosen))
    return chosen


class Titled(Protocol):
    """What scenarios are chosen by."""

    @property
    def reference(self) -> str:
        """Its file, and which case of it."""

    @property
    def title(self) -> str:
        """The story in one sentence."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to choose by."""

    @property
    def proves(self) -> tuple[str, ...]:
        """Requirements."""


def chosen(scenario: Titled, name: str, tags: Iterable[str], patterns: Iterable[str]) -> bool:
    """Tell whether a scenario is chosen: it has one of the tags (`not-x`: lacks x), and one pattern fits it."""
    wanted = [tag for tag in tags if not tag.startswith("not-")]
    unwanted = [tag.removeprefix("not-") for tag in tags if tag.startswith("not-")]
    if wanted and not set(wanted) & set(scenario.tags):
        return False
    if set(unwanted) & set(scenario.tags):
        return False
    texts = [text.lower() for text in (name, scenario.title, scenario.reference, *scenario.proves)]
    globs = [pattern.lower() if any(c in pattern for c in "*?[") else f"*{pattern.lower()}*" for pattern in patterns]
    return not globs or any(fnmatch.fnmatchcase(text, glob) for text in texts for glob in globs)


def run_all(
    jobs: list[tuple[Job, Scenario]], options: RunOptions, network: str, workers: int
) -> Iterator[ScenarioResult]:
    """Run scenarios and return their results in the order given, whatever the number of processes.

    Processes start at this call.
    """
    if workers <= 1 or len(jobs) <= 1:
        return _run_here(jobs, options)
    tasks = [job for job, _ in jobs]
    crew = Crew(partial(_run_job, options=options, network=network), min(workers, len(tasks)))
    return _dismissed(crew, crew.run(tasks))


def _run_here(jobs: list[tuple[Job, Scenario]], options: RunOptions) -> Iterator[ScenarioResult]:
    from simwarden.scenario.runner import run_scenario  # noqa: PLC0415 - workers import it themselves

    for job, scenario in jobs:
        yield _told(scenario, run_scenario(scenario, job.name, options))


def _told(scenario: Scenario, result: ScenarioResult) -> ScenarioResult:
    """Add to a result which misuses were stopped and which were not: it is found where the scenario ran."""
    from simwarden.scenario.stopped import misuse_in, stopped_in  # noqa: PLC0415 - as where it runs

    result.stopped, result.misuse = stopped_in(scenario, result), misuse_in(scenario, result)
    return result


def _dismissed(crew: Crew[T, R], results: Iterator[R]) -> Iterator[R]:
    with crew:
        yield from results


class Crew(Generic[T, R]):
    """Processes that do the same work on many tasks, as long as one wants; with one worker it is done here.

    They start at the first call of `run`, and no more start later: a caller may start threads after it.
    """

    def __init__(self, work: Callable[[T], R], workers: int) -> None:
        self._work = work
        self._pool: ProcessPoolExecutor | None = None
        if workers > 1:
            # Fork where there is one: the elements are loaded already, and nothing else runs in this process yet.
            context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
            numbers = context.Value("i", 0)
            self._pool = ProcessPoolExecutor(
                workers, mp_context=context, initializer=_start_worker, initargs=(numbers,)
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def run(self, tasks: Sequence[T]) -> Iterator[R]:
        """Begin the tasks, and yield what comes of them in their order. Raises InternalError if a process dies."""
        if self._pool is None:
            return map(self._work, tasks)
        return _collect([self._pool.submit(self._work, task) for task in tasks], tasks)


def _collect(futures: list[Future[R]], tasks: Sequence[Any]) -> Iterator[R]:
    try:
        for future, task in zip(futures, tasks, strict=True):
            try:
                yield future.result()
            except BrokenProcessPool as error:
                raise InternalError(f"a process died while it ran {task}, or one beside it") from error
    finally:
        for future in futures:
            future.cancel()


_worker = 0


def _start_worker(numbers: Any) -> None:
    """Give this process its number, by which its addresses differ from others'.

    Ctrl-C and a closed terminal are a matter of the first.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    global _worker  # noqa: PLW0603 - one number a process
    with numbers.get_lock():
        numbers.value += 1
        _worker = numbers.value
    gc.freeze()  # what it was forked with is no garbage, and to look for it there would copy it


def worker() -> int:
    """Return the number of this process among workers, 0 if it is none."""
    return _worker


@cache
def _loader(network: str) -> Any:
    from simwarden.scenario.load import Loader  # noqa: PLC0415 - in the worker

    return Loader(network_file=network)


def _run_job(job: Job, options: RunOptions, network: str) -> ScenarioResult:
    from simwarden.scenario.runner import run_scenario  # noqa: PLC0415 - in the worker

    scenario = _loader(network).load(job.reference)
    return _told(scenario, run_scenario(scenario, job.name, replace(options, worker=_worker)))
