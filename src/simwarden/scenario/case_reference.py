"""How a case of a scenario file is named on the command line, in reports and as a twin: `FILE::case`."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: what stands between a file, a case and its twin: as in pytest
SEPARATOR: Final = "::"


def split_reference(reference: str) -> tuple[str, str]:
    """Return the file and the case that a reference names; the case is empty where none is named."""
    file, _, case = reference.partition(SEPARATOR)
    return file, case


def join_reference(file: str | Path, case: str) -> str:
    """Return what names a case of a file."""
    return f"{file}{SEPARATOR}{case}" if case else str(file)


def resolved(reference: str) -> str:
    """Return a reference by the absolute path of its file, without symbolic links."""
    file, case = split_reference(reference)
    return join_reference(Path(file).resolve(), case)


def folders_of(references: Sequence[str]) -> list[str]:
    """Return the folder of each case, below the one that holds all: `data/whitelist`, or empty for a case in that."""
    parents = [Path(split_reference(each)[0]).absolute().parent for each in references]
    root = os.path.commonpath(parents) if parents else ""
    return [parent.relative_to(root).as_posix().removeprefix(".") for parent in parents]


def folder_tags(file: str) -> tuple[str, ...]:
    """Return the folders below `scenarios` that a file is in, which are tags of its cases: `data`, `whitelist`."""
    folders = Path(file).absolute().parent.parts
    roots = [index for index, folder in enumerate(folders) if folder in ("scenarios", "shipped_scenarios")]
    return folders[roots[-1] + 1 :] if roots else ()


def capture_name(name: str) -> str:
    """Return the file name of a case's capture in a report: not all systems allow colons in it."""
    return f"{name.replace(SEPARATOR, '.')}.pcapng"


def stem_of(reference: str) -> str:
    """Return the name of a case without the folders and the suffix of its file: `moved-card::by-hss`."""
    file, case = split_reference(reference)
    return join_reference(Path(file).stem, case)
