"""Pages that are carried out as they stand, from their first command to the last, in one folder.

`<!-- session -->` near the top of a page makes it one, `<!-- session: mosquitto jq -->` one that needs these programs.
In it `<!-- write: NAME -->` stands before a file that the reader writes, and a ```console block holds commands with
what they print. `COMMAND &` goes on beside the others, and its first line is shown if it goes into no file; `kill %1`
ends it. A port of the page's loopback addresses is replaced by a free one.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from waiting import LONG, reserved_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
#: our own programs first; daemons stand where only root looks for them
PATH: Final = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"])
_MARK: Final = re.compile(r"^<!-- session(?:: ([^>]+))? -->$", re.MULTILINE)
_PART: Final = re.compile(r"^(?:<!-- (write): (\S+) -->\n)?```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CALL: Final = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", re.MULTILINE)
#: what tells on standard error how far a command is
_PROGRESS: Final = re.compile(r"^\d+ of \d+ (?:runs|scenarios)\n", re.MULTILINE)
_PORT: Final = re.compile(r"(?<=127\.0\.0\.1:)\d{5}\b")


class Call(NamedTuple):
    """A command of a page, what the page shows of it, and what it really prints."""

    command: str
    shown: str
    real: str


def is_session(page: str) -> bool:
    """Whether the page is to be carried out as it stands."""
    return _MARK.search(page) is not None


def lacking(page: str) -> list[str]:
    """Return the programs of others that a session needs and that are not here."""
    mark = _MARK.search(page)
    needed = (mark[1] or "").split() if mark else []
    return [name for name in needed if shutil.which(name, path=PATH) is None]


def play(page: str) -> Iterator[Call]:
    """Carry a page out: write its files, give its commands one after another, and yield what each printed."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        (folder / "scenarios").symlink_to(ROOT / "scenarios")
        ports = {port: str(held.enter_context(reserved_port())) for port in dict.fromkeys(_PORT.findall(page))}
        shell = Shell(folder, ports)
        held.callback(shell.end)
        for kind, name, language, text in _PART.findall(page):
            if kind:
                (folder / name).write_text(shell.here(text), encoding="utf-8")
            elif language == "console":
                for command, shown in _CALL.findall(text):
                    yield Call(command, shown, shell.give(command))


class Shell:
    """Gives commands in a folder, as the reader of a page does, with the ports that are free here."""

    def __init__(self, folder: Path, ports: dict[str, str]) -> None:
        self.folder = folder
        self.ports = ports
        self.beside: list[subprocess.Popen[str]] = []

    def here(self, text: str) -> str:
        """Put the ports there are for those of the page."""
        return _swapped(text, self.ports)

    def give(self, command: str) -> str:
        """Give a command; return what it prints, or its first line if it goes on beside the others."""
        if command == "kill %1":
            return self.end() or ""
        process = self._start(self.here(command.removesuffix(" &")), beside=command.endswith(" &"))
        if not command.endswith(" &"):
            said, _ = process.communicate(timeout=LONG)
        else:
            self.beside.append(process)
            assert process.stdout is not None
            said = "" if ">" in command else process.stdout.readline()
        return _swapped(_PROGRESS.sub("", said), {mine: of_page for of_page, mine in self.ports.items()})

    def _start(self, command: str, *, beside: bool) -> subprocess.Popen[str]:
        env = {name: value for name, value in os.environ.items() if name not in {"GITHUB_ACTIONS", "CI"}}
        env["PATH"] = PATH
        return subprocess.Popen(  # noqa: S603 - the page's own commands
            ["/bin/bash", "-c", command], cwd=self.folder, env=env, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if beside else subprocess.STDOUT,
        )  # fmt: skip

    def end(self) -> None:
        """End what goes on beside."""
        for process in self.beside:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=LONG)
        self.beside.clear()


def _swapped(text: str, ports: dict[str, str]) -> str:
    return re.sub("|".join(ports), lambda match: ports[match[0]], text) if ports else text
