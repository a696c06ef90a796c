"""`run --watch`: runs again what a saved file concerns.

Each round is a process of its own, so that changed sources of elements count too.
"""

from __future__ import annotations

import inspect
import os
import re
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import simwarden
from simwarden.scenario import suite
from simwarden.scenario.case_reference import split_reference
from simwarden.scenario.load import Loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simwarden.cli.options import Order
    from simwarden.scenario.registry import Registry

#: seconds between looks at the files
_PAUSE = 0.4
_TWIN = re.compile(r"^twin[ \t]*:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
_SOURCES = (".py", ".yaml", ".toml", ".csv")

Stamp = tuple[int, int]


def watch_suite(order: Order) -> None:
    """Run all, then whatever a saved file concerns, until `q` and Enter, or Ctrl-C."""
    registry = Loader(network_file=order.network).registry
    watch(
        order.paths or [], order.network, sources_of(registry), run=lambda paths: run_once(order, paths), pause=_pause
    )


def watch(
    paths: Sequence[str],
    network: str,
    sources: Sequence[Path],
    *,
    run: Callable[[Sequence[str]], None],
    pause: Callable[[], str],
) -> None:
    """Watch files; `run` is given the files to run, `pause` waits a moment and returns `all`, `quit` or nothing."""
    before = stamps_of(paths, network, sources)
    run(paths)
    while (said := pause()) != "quit":
        now = stamps_of(paths, network, sources)
        changed = [path for path in {**before, **now} if before.get(path) != now.get(path)]
        before = now
        concerned = list(paths) if said == "all" else concerned_by(changed, paths)
        if concerned:
            run(concerned)


def sources_of(registry: Registry) -> list[Path]:
    """Return the folders of the sources: those of simwarden and of each installed element."""
    folders = [
        Path(simwarden.__file__).parent,
        *(Path(inspect.getfile(each)).parent for each in registry.kinds.values()),
    ]
    return list(dict.fromkeys(folders))


def stamps_of(paths: Iterable[str], network: str, sources: Iterable[Path]) -> dict[str, Stamp]:
    """Return when each watched file was written, and its size; a file that has just gone is left out."""
    files = [Path(network)] if network else []
    for root in (Path(split_reference(path)[0]) for path in paths):
        files += [path for path in root.rglob("*") if path.suffix in (".yaml", ".yml")] if root.is_dir() else [root]
    for root in sources:
        files += [path for path in root.rglob("*") if path.suffix in _SOURCES]
    for file in list(files):
        twin = twin_of(file) if file.suffix in (".yaml", ".yml") else None
        files += [twin] if twin is not None else []
    found: dict[str, Stamp] = {}
    for file in files:
        with suppress(OSError):
            status = file.stat()
            found[os.path.normpath(file)] = status.st_mtime_ns, status.st_size
    return found


def twin_of(file: Path) -> Path | None:
    """Return the path of a scenario's twin, without judging the file: it may be half written."""
    try:
        text = file.read_text("utf-8", errors="replace")
    except OSError:
        return None
    match = _TWIN.search(text)
    return file.parent / match[1] if match and suite.is_scenario(text) else None


def concerned_by(changed: Iterable[str], paths: Sequence[str]) -> list[str]:
    """Return what to run: changed scenarios with their twins and those whose twin they are; all for anything else."""
    files = dict.fromkeys(split_reference(job.reference)[0] for job in suite.find(_there(paths)))
    scenarios = {os.path.normpath(file): twin_of(Path(file)) for file in files}
    twins = {path: os.path.normpath(twin) for path, twin in scenarios.items() if twin is not None}
    found: list[str] = []
    for path in changed:
        if path in scenarios:
            found += [path, *([twins[path]] if path in twins else [])]
            found += [each for each, twin in twins.items() if twin == path]
        elif path in twins.values():
            found += [each for each, twin in twins.items() if twin == path]
        elif Path(path).exists():
            return list(paths)
    return list(dict.fromkeys(found))


def _there(paths: Iterable[str]) -> list[str]:
    """Return the files and folders that exist, without the cases that are named in them."""
    return [file for file, _ in map(split_reference, paths) if Path(file).exists()]


def run_once(order: Order, paths: Sequence[str]) -> None:
    """Run files in a process of its own, on a cleared screen, and say what is watched."""
    if sys.stdout.isatty():
        print("\x1b[2J\x1b[3J\x1b[H", end="", flush=True)
    subprocess.run([sys.executable, "-m", "simwarden", "run", *command_of(order, paths)], check=False)  # noqa: S603 - ourselves
    keys = "Enter runs all, q and Enter ends" if _has_keys() else "Ctrl-C ends"
    print(f"{time.strftime('%H:%M:%S')} watching {', '.join(order.paths or ())}; {keys}", flush=True)


def command_of(order: Order, paths: Sequence[str]) -> list[str]:
    """Return the arguments of `run` for some files, with all that the order says beside."""
    said = ["--jobs", order.jobs, "--report", order.report, "--trace", order.trace, "--limit", f"{order.limit:g}"]
    for name in ("tag", "match"):
        said += [part for text in getattr(order, name) or () for part in (f"--{name}", text)]
    said += [f"--{name}" for name in ("mask", "packets", "tun", "verbose") if getattr(order, name)]
    said += order.again()
    return [*paths, *said]


def _has_keys() -> bool:
    return os.name == "posix" and sys.stdin.isatty()


def _pause() -> str:
    """Wait a moment, or for a line on the keyboard."""
    if not _has_keys():
        time.sleep(_PAUSE)
        return ""
    ready, _, _ = select.select([sys.stdin], [], [], _PAUSE)
    if not ready:
        return ""
    line = sys.stdin.readline()
    return "quit" if not line or line.strip().lower() == "q" else "all"
