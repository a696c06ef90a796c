"""What the shipped scenarios put on the wire, what is decided and shown of it, and the public words: taken, compared.

    python tests/bench/baseline.py take                 # of this checkout, into .baseline.json
    python tests/bench/baseline.py compare              # against it: what is not equal is named, and the exit code is 1

For a change that must change none of it (a move, a reshaping) it is taken before and compared after; after another
change has landed it is taken anew, of any commit: `git worktree add ../before REV`, then with `src` and the root of
that worktree in PYTHONPATH and `--root ../before`. The file is not part of the tree: each change of behaviour would
write to it, and what it says follows from a commit.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwarden.model.interfaces import INTERFACES
from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.registry import Registry
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.scenario.steps import CORE_VERBS
from simwarden.scenario.words import WORDS
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Decided, Frame
from simwarden.trace.jsonl import line_of, lines_of
from simwarden.trace.ladder import Style, draw
from simwarden.trace.pcapng import write_capture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simwarden.scenario.result import ScenarioResult

ROOT = Path(__file__).resolve().parents[2]
SEED = 7
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def digest(parts: Iterable[Any]) -> str:
    """Return a short hash of things in their order, by how they are written."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part if isinstance(part, bytes) else repr(part).encode())
        found.update(b"\0")
    return found.hexdigest()[:16]


@cache
def old_names() -> dict[str, tuple[str, str]]:
    """Return the full names and the stems that scenarios had before they were renamed, by the names that they have."""
    path = ROOT / "scenarios" / "renamed.toml"
    tables = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    return {
        f"{folder.partition('/')[0]}/{new}".replace("/", "-"): (f"{folder}/{old}".replace("/", "-"), old)
        for folder, names in tables.items()
        for old, new in names.items()
    }


def story(job: suite.Job) -> tuple[str, dict[str, str]]:
    """Play one scenario; return what it came to, part by part, each in a word."""
    scenario, name = Loader().validate(job.reference, to_run=True), job.name
    if name in old_names():  # its random numbers followed from its old name
        name, stem = old_names()[name]
        scenario = replace(scenario, path=str(Path(scenario.path).with_name(f"{stem}.yaml")), case="")
    result = run_scenario(scenario, name, RunOptions(seed=SEED))
    frames = [
        (each.time, each.source, each.target, each.interface, each.stream, each.ppid, each.data, each.clear)
        for each in result.events
        if isinstance(each, Frame)
    ]
    decided = [decision_line(each) for each in result.events if isinstance(each, Decided)]
    return name, {
        "verdict": result.verdict.value,
        "frames": f"{len(frames)} {digest(frames)}",
        "decisions": f"{len(decided)} {digest(decided)}",
        "shown": digest(shown(result)),
    }


def decision_line(event: Decided) -> str:
    """Return the line of a decision without the number of the event, which counts steps too."""
    record = json.loads(line_of(event, Dissector()))
    del record["n"]
    return json.dumps(record)


def shown(result: ScenarioResult) -> Iterator[Any]:
    """Yield what people see of a run: the ladder, the lines of its events, its captures with keys and without."""
    yield from draw(result.events, {lane.name: lane.order for lane in result.lanes}, Style(full=True))
    yield from lines_of(result.events)
    for mask in (False, True):
        stream = io.BytesIO()
        write_capture(result.events, stream, START, mask=mask)
        yield stream.getvalue()


def words() -> Iterator[str]:
    """Yield the public words: of the command line, the management interface, files, expectations and events."""
    from simwarden.scenario.message_fields import message_infos
    from simwarden.scenario.messages import message_names

    registry = Registry.installed()
    yield from command_words()
    yield from (f"word {name}" for name in (*WORDS, *CORE_VERBS))
    for kind, element in registry.kinds.items():
        declaration = element.declaration
        yield from (f"route {kind} {each.method} {each.path}" for each in element.routes)
        for verb in element.all_verbs().values():
            yield from (f"verb {kind} {verb.name} {each}" for each in ("", *verb.arguments.model_fields))
        yield from (f"setting {kind} {name}" for name in declaration.config.model_fields)
        yield from (
            f"card {kind} {section}.{name}"
            for section, model in declaration.card.items()
            for name in model.model_fields
        )
        yield from (f"control {kind} {each.id} {' '.join(each.occasions)}" for each in declaration.controls)
        yield from (f"observable {kind} {each.name} {' '.join(each.fields)}" for each in declaration.observables)
        yield from (f"event {kind} {each.type} {' '.join(each.data)}" for each in declaration.events)
    for interface in INTERFACES.values():
        yield f"interface {interface}"
        for name in message_names(interface.protocol):
            fields = (
                field for each in message_infos(interface.protocol, name) for field in (*each.fields, *each.others)
            )
            yield f"message {interface.name} {name} {' '.join(sorted({each.name for each in fields}))}"


def command_words() -> Iterator[str]:
    """Yield the commands with their options and arguments."""
    import typer.main

    from simwarden.cli.main import app

    def below(command: Any, name: str) -> Iterator[str]:
        yield name
        yield from (f"{name} {' '.join(sorted(each.opts))}" for each in command.params)
        for word, each in getattr(command, "commands", {}).items():
            yield from below(each, f"{name} {word}")

    yield from below(typer.main.get_command(app), "simwarden")


def taken(root: Path) -> dict[str, Any]:
    """Play all shipped scenarios of a checkout and gather the words."""
    jobs = suite.find([str(root / "scenarios")])
    with ProcessPoolExecutor(2) as pool:
        stories = dict(pool.map(story, jobs, chunksize=4))
    return {"stories": stories, "words": sorted(set(words()))}


def differences(before: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Yield what is not as it was. What is shown of a renamed scenario names its steps, which have other lines."""
    renamed = {name for name, _ in old_names().values()}
    for name in sorted(before["stories"].keys() | now["stories"].keys()):
        was, found = (each["stories"].get(name, {}) for each in (before, now))
        parts = [part for part in was.keys() | found.keys() if was.get(part) != found.get(part)]
        parts = [part for part in parts if part != "shown" or name not in renamed]
        yield from (f"{name}: {part}: {was.get(part)} -> {found.get(part)}" for part in sorted(parts))
    old, new = set(before["words"]), set(now["words"])
    yield from (f"gone: {each}" for each in sorted(old - new))
    yield from (f"new: {each}" for each in sorted(new - old))


def say(text: str) -> None:
    """Print for people."""
    sys.stdout.write(f"{text}\n")


def main() -> int:
    """Take or compare; return the exit code."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("action", choices=("take", "compare"))
    reader.add_argument("file", nargs="?", type=Path, default=ROOT / ".baseline.json")
    reader.add_argument("--root", type=Path, default=ROOT, help="the checkout whose scenarios are played")
    options = reader.parse_args()
    now = taken(options.root)
    if options.action == "take":
        options.file.write_text(json.dumps(now, indent=1))
        say(f"{len(now['stories'])} stories and {len(now['words'])} words in {options.file}")
        return 0
    found = list(differences(json.loads(options.file.read_text()), now))
    say("\n".join(found) or f"{len(now['stories'])} stories and {len(now['words'])} words are as they were")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
