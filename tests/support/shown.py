"""What pages show of commands: the blocks behind a mark are what their command prints, and `make docs` writes them.

`<!-- run -->` stands before commands with their output, of which `...` leaves lines out; times are not compared.
`<!-- recorded: EXPERIMENT WORD -->` stands before a table of `simwarden impact` from the recorded figures, of the cases
with that word. `<!-- file: PATH -->` stands before a file of the repository. Pages with `<!-- session -->` are carried
out as a whole (see `sessions`).
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sessions

from simwarden.campaign.impact.campaign import CaseRun, table_of
from simwarden.campaign.impact.columns import COLUMNS
from simwarden.campaign.impact.experiment import read_experiment
from simwarden.campaign.impact.perform import Measured
from simwarden.campaign.record import NAME, Record
from simwarden.campaign.tables import print_table
from simwarden.scenario.load import Loader

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "simulators").glob("*/README.md")])
_BLOCK: Final = re.compile(r"^<!-- (run|recorded|file)(?:: ([^>]+))? -->\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: a duration with the spaces that align it: a slow machine needs a column more
_SECONDS: Final = re.compile(r" *\b\d+\.\d+ ?s\b")
#: the first column of a ladder: the time, where it is another one than on the row before
_TIME: Final = re.compile(r"^ +(?:\d+\.\d{3} +)?(?=[│◀✓✗])", re.MULTILINE)
_FIGURES: Final = re.compile(r"[\s\d()]+")


def blocks() -> Iterator[tuple[Path, re.Match[str]]]:
    """Yield all marked blocks; those of the README that run a story named in it have a test of their own."""
    for page in PAGES:
        for block in _BLOCK.finditer(page.read_text("utf-8")):
            if (block[1], bool(block[2])) != ("run", True):
                yield page, block


def fresh(block: re.Match[str]) -> str:
    """Return what a block ought to hold now, without lines left out."""
    kind, what, text = block[1], block[2] or "", block[3]
    if kind == "file":
        return (ROOT / what).read_text("utf-8")
    if kind == "recorded":
        return _recorded(*what.split())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "scenarios").symlink_to(ROOT / "scenarios")
        commands = [line for line in text.splitlines() if line.startswith("$ simwarden ")]
        return "".join(f"{command}\n{_run(command, folder)}" for command in commands)


def _run(command: str, folder: str) -> str:
    words = [sys.executable, "-m", "simwarden", *shlex.split(command)[2:]]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False).stdout  # noqa: S603 - our own


def _recorded(name: str, *words: str) -> str:
    folder = ROOT / "scenarios" / "impact"
    experiment = read_experiment(str(folder / f"{name}.yaml"), Loader(), {})
    known = Record(folder / NAME).load().by_case
    shown = {each.figure: 0 for each in COLUMNS[experiment.kind]}
    runs = [
        CaseRun(experiment, number, Measured(figures))
        for number, case in enumerate(experiment.cases)
        if {*words} <= {*case.words.values()}
        and isinstance(figures := known[experiment.id_of(number)].expect(shown), dict)
    ]
    return "\n".join(print_table(table_of(runs))).rstrip() + "\n"


def same(shown: str, real: str) -> bool:
    """Whether a block shows what is real: all of it, or, in order, what stands between lines of `...`."""
    at = 0
    real = _timeless(real)
    parts = re.split(r"^\.\.\.\n", _timeless(shown), flags=re.MULTILINE)
    if len(parts) == 1:
        return shown == real or parts[0] == real
    for part in parts:
        found = real.find(part, at)
        if found < 0 or (found and real[found - 1] != "\n"):
            return False
        at = found + len(part)
    return not parts[-1] or at == len(real)


def _timeless(text: str) -> str:
    return _TIME.sub("  ", _SECONDS.sub(" N s", text))


def _shortened(shown: str, real: str) -> str:
    """Return what is real without what a block leaves out: for each line the next that differs in figures at most.

    Empty where there is none for a line: a hand has to choose.
    """
    if "...\n" not in shown.splitlines(keepends=True):
        return real
    left, kept = real.splitlines(keepends=True), []
    for line in shown.splitlines(keepends=True):
        if line == "...\n":
            kept.append(line)
            continue
        while left and _FIGURES.sub(" ", left[0]) != _FIGURES.sub(" ", line):
            left.pop(0)
        if not left:
            return ""
        kept.append(left.pop(0))
    return "".join(kept)


def _write_session(page: Path) -> Iterator[str]:
    """Write what the commands of a session print now; yield the commands whose output a hand has to choose."""
    text = page.read_text("utf-8")
    if lacking := sessions.lacking(text):
        yield f"{page.relative_to(ROOT)} is not carried out, since there is no {' '.join(lacking)} here"
        return
    for call in sessions.play(text):
        if not same(call.shown, call.real):
            real = _shortened(call.shown, call.real)
            if call.real and not same(real, call.real):
                yield f"{page.relative_to(ROOT)}: {call.command} prints something else now:\n{call.real}"
                continue
            text = text.replace(f"$ {call.command}\n{call.shown}", f"$ {call.command}\n{real}", 1)
            sys.stdout.write(f"session: {page.relative_to(ROOT)}: {call.command}\n")
    page.write_text(text, "utf-8")


def main() -> None:
    """Write all blocks that are not what they ought to be. Ends with an error that names those that a hand has to."""
    left = []
    for page, block in blocks():
        real = fresh(block)
        if same(block[3], real):
            continue
        whole, real = real, _shortened(block[3], real)
        if not same(real, whole):  # a line that is new stands between two of the block
            left.append(f"{page.relative_to(ROOT)}: {block[3].splitlines()[0]} prints something else now")
            continue
        start, end = (at - block.start() for at in block.span(3))
        page.write_text(page.read_text("utf-8").replace(block[0], block[0][:start] + real + block[0][end:]), "utf-8")
        sys.stdout.write(f"block: {page.relative_to(ROOT)}: {real.splitlines()[0]}\n")
    left += [told for page in PAGES if sessions.is_session(page.read_text("utf-8")) for told in _write_session(page)]
    sys.exit("\n".join(left) or 0)


if __name__ == "__main__":
    main()
