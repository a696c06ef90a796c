"""Links lead somewhere, the index is complete, and each command that a page shows is one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main

from simwarden.cli.main import app
from simwarden.scenario.registry import Registry

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "simulators").glob("*/README.md")])
#: an address elsewhere, of which the form alone is looked at
EXTERNAL = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(/[\w./#?=&%~-]*)?")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


# -- links


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", FENCE.sub("", text_of(page)))):
        path, _, anchor = target.partition("#")
        if re.match(r"https?:|mailto:", target):
            if not EXTERNAL.fullmatch(target):
                lost.append(target)
            continue
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors_of(there)):
            lost.append(target)
    assert lost == []


def test_the_index_leads_to_every_page() -> None:
    index = text_of(DOCS / "index.md")
    told = set(re.findall(r"\]\((?:foreign/)?(\w[\w-]*\.md)\)", index))
    assert told == {page.name for page in (*DOCS.glob("*.md"), *DOCS.glob("foreign/*.md"))} - {"index.md"}


def test_the_list_of_elements_leads_to_every_element() -> None:
    told = set(re.findall(r"\]\((elements/[\w-]+\.md)\)", text_of(DOCS / "elements.md")))
    assert told == {f"elements/{page.name}" for page in (DOCS / "elements").glob("*.md")}


def test_the_readme_names_every_element() -> None:
    told = re.findall(r"^\| \[`(\w+)`\]\(simulators/\w+/README\.md\)", text_of(ROOT / "README.md"), re.MULTILINE)
    assert set(told) == Registry.installed().kinds.keys()


def test_the_readme_is_short() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) <= 150


# -- commands


class Shown(NamedTuple):
    """A command line of a page: its words without redirection, where its output goes, and whether text shows it."""

    page: str
    words: tuple[str, ...]
    output: str = ""
    inline: bool = False


def commands_of(page: Path) -> list[Shown]:
    text = text_of(page)
    lines = [
        line.removeprefix("$ ")
        for language, block in FENCE.findall(text)
        if language in ("sh", "console")
        for line in block.splitlines()
        if re.match(r"(\$ )?simwarden ", line)
    ]
    inline = re.findall(r"`(simwarden [^`]*)`", FENCE.sub("", text))
    shown = [split(name_of(page), line) for line in lines]
    return shown + [split(name_of(page), line)._replace(inline=True) for line in inline]


def split(page: str, line: str) -> Shown:
    words = [word for word in shlex.split(line, comments=True)[1:] if word != "&"]
    output = words[-1] if words[-2:-1] == [">"] else ""
    return Shown(page, tuple(words[:-2] if output else words), output)


def parse(words: tuple[str, ...]) -> None:
    """Hold a command line against the commands and options that there are. Raises a UsageError of click."""
    group: Any = typer.main.get_command(app)
    top = group.make_context("simwarden", list(words), resilient_parsing=words[0].startswith("-"))
    if not words[0].startswith("-"):
        name, command, rest = group.resolve_command(top, list(words))
        command.make_context(name, rest, parent=top)


ALL = [shown for page in PAGES for shown in commands_of(page)]


@pytest.mark.parametrize("shown", dict.fromkeys(ALL), ids=lambda shown: f"{shown.page}: {' '.join(shown.words)}")
def test_a_command_that_is_shown_is_one(shown: Shown) -> None:
    try:
        parse(shown.words)
    except Exception as error:
        # A command may be named without its arguments in running text.
        if not (shown.inline and type(error).__name__ == "MissingParameter"):
            raise


@pytest.mark.parametrize("line", ["simwarden rum x.yaml", "simwarden run --trases x.yaml", "simwarden init --force=3"])
def test_a_command_that_is_none_is_found(line: str) -> None:
    with pytest.raises(Exception, match=r"No such|does not take") as caught:
        parse(split("", line).words)
    assert caught.value.exit_code == 2  # type: ignore[attr-defined]
