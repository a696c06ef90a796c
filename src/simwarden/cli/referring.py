"""`reference`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from simwarden.campaign.grid import write
from simwarden.cli import exits
from simwarden.cli.choosing import load_checked
from simwarden.cli.shipped import shipped
from simwarden.errors import ConfigError
from simwarden.scenario.load import Loader
from simwarden.scenario.reference.causes import causes_page
from simwarden.scenario.reference.classification import classes_page
from simwarden.scenario.reference.elements import MADE, element_pages
from simwarden.scenario.runner import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_reference(folder: str, *, check: bool) -> None:
    """Write the reference pages into a folder, or with `check` say which are not as they would be written."""
    root = Path(folder)
    pages = {root / name: text for name, text in reference_pages()}
    stale = [path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    gone = [path for path in sorted(root.glob("elements/*.md")) if path not in pages and _is_ours(path)]
    if check:
        for path in (*stale, *gone):
            exits.complain(f"{path}: not as `simwarden reference {folder}` writes it")
        raise typer.Exit(exits.FAILED if stale or gone else exits.PASSED)
    for path in gone:
        path.unlink()
        print(f"removed: {path}")
    for path in stale:
        print(f"page: {write(path, pages[path])}")
    print(f"{len(pages)} pages: {len(stale)} written, {len(pages) - len(stale)} as they were")


def reference_pages() -> Iterator[tuple[str, str]]:
    """Yield each page with the path of its file. Raises ConfigError if a shipped scenario that is needed fails."""
    loader = Loader()
    yield from element_pages(loader.registry)
    root = shipped()
    jobs = load_checked(loader, [str(root)])
    yield "classification.md", classes_page(jobs, loader, root)
    page, broken = causes_page(jobs, loader, RunOptions(), root)
    if broken:
        raise ConfigError(f"scenarios that do not pass show no causes: {', '.join(broken)}")
    yield "causes.md", page


def _is_ours(path: Path) -> bool:
    return path.read_text(encoding="utf-8", errors="replace").startswith(MADE)
