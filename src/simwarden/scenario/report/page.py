"""The page of a report: one file that needs no network, with a ladder for each scenario.

The rows of a ladder are compressed and travel as base64, so that a page of a hundred scenarios stays small, opens at
once and unpacks only what is looked at. Whatever came over a wire reaches the document as text only, and a content
security policy with the hashes of the page's own script and style lets nothing else run or load.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os.path
import pkgutil
import re
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

import simwarden
from simwarden.policy.requirements import clauses, requirements
from simwarden.scenario.case_reference import folders_of
from simwarden.scenario.registry import Registry
from simwarden.scenario.secrets import hider
from simwarden.trace.ladder import lanes_of
from simwarden.trace.rows import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simwarden.scenario.result import Lane, ScenarioResult
    from simwarden.trace.rows import Row

_PACKAGE = "simwarden.scenario.report"
#: a key of a card in a file of YAML, of which the loader read none
_KEYS = re.compile(r"(\b(?:k|opc|op)[\"']?\s*:\s*)(?:[|>][+-]?\s+)?[\"']?[0-9a-fA-F]{32}[\"']?", re.IGNORECASE)


class Page:
    """Collects scenarios and renders them."""

    def __init__(self) -> None:
        self._index: list[dict[str, Any]] = []
        self._ladders: list[str] = []
        self._files: list[str] = []

    def add(self, result: ScenarioResult, rows: Sequence[Row], capture: str) -> None:
        """Add a scenario with the rows of its ladder; `capture` is the name of its capture beside the page."""
        lanes = lanes_of(rows, {lane.name: lane.order for lane in result.lanes})
        hide = hider(result.keys)
        text = hide(_source(result.path))
        summary = json.loads(hide(json.dumps(_summary(result, rows, lanes))))
        self._index.append(summary | {"capture": capture, "source": bool(text)})
        self._files.append(packed(text) if text else "")
        ladder = json.dumps([row_data(row, lanes) for row in rows], separators=(",", ":"), ensure_ascii=False)
        self._ladders.append(packed(hide(ladder)) if rows else "")

    def render(self, seconds: float) -> str:
        """Return the document; `seconds` is what all of it took, by the clock on the wall."""
        self._link_twins()
        for each, folder in zip(self._index, folders_of([each["path"] for each in self._index]), strict=True):
            each["folder"] = folder
        index = {"scenarios": self._index, "seconds": seconds, "version": simwarden.__version__} | _guideline()
        return document(
            asset("page.html.j2"),
            map(asset, ("parts.js", "ladder.js", "find.js", "overview.js", "page.js")),
            map(asset, ("tokens.css", "ladder.css", "page.css")),
            index=script_json(index),
            ladders=self._ladders,
            files=self._files,
            written=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )

    def _link_twins(self) -> None:
        """Turn the path of a twin into the name of its scenario, where it is in this report."""
        names = {os.path.normpath(each["path"]): each["name"] for each in self._index}
        for each in self._index:
            each["twin_name"] = names.get(os.path.normpath(each["twin"]), "")
        whose = {each["twin_name"]: each["name"] for each in reversed(self._index)}
        for each in self._index:
            each["twin_of"] = whose.get(each["name"], "")


def _summary(result: ScenarioResult, rows: Sequence[Row], lanes: Sequence[str]) -> dict[str, Any]:
    known = {lane.name: lane for lane in result.lanes}
    failure = asdict(result.failure) if result.failure else None
    blocked = [row for row in rows if row.kind is Kind.DECISION and row.verdict == "refuse"]
    return {
        "name": result.name,
        "title": result.title,
        "path": result.reference,
        "verdict": result.verdict.value,
        "proves": [_proof(each) for each in result.proves],
        "tags": result.tags,
        "twin": result.twin,
        "about": result.about,
        "seconds": round(result.seconds, 4),
        "virtual": round(result.virtual, 3),
        "run": f"seed {result.seed}, {result.transport}, {result.clock} clock",
        "steps": [result.steps_done, result.steps],
        "failure": failure,
        "blocked": list(dict.fromkeys(f"{row.source}: {row.control}" for row in blocked)),
        "refusal": result.expects_refusal,
        "met": [asdict(each) for each in result.met],
        "stopped": [asdict(each) for each in result.stopped],
        "misuse": result.misuse.name if result.misuse else "",
        "messages": sum(row.kind is Kind.MESSAGE for row in rows),
        "lanes": [lane_data(name, known) for name in lanes],
    }


def _guideline() -> dict[str, Any]:
    """Return the clauses in the order of the guideline, and the requirements of which an element is not built."""
    known = requirements().values()
    kinds = Registry.installed().kinds
    missing = {each.id: each.missing((*kinds, "audit", "classify")) for each in known}
    return {
        "clauses": [{"clause": clause, "title": title} for clause, title in clauses().items()],
        "open": [
            {"clause": each.clause, "title": each.title, "rule": each.rule, "missing": missing[each.id]}
            for each in known
            if missing[each.id]
        ],
    }


def _source(path: str) -> str:
    """Return the text of a scenario's file without the keys that it gives; empty where it cannot be read any more."""
    try:
        text = Path(path).read_text("utf-8", errors="replace")
    except (OSError, ValueError):  # a name with a NUL in it is none
        return ""
    return _KEYS.sub(r"\1***", text)


def lane_data(name: str, known: Mapping[str, Lane]) -> dict[str, Any]:
    """Return a lane of a ladder as the scripts of pages want it; `known` are those of the run."""
    lane = known.get(name)
    return {"name": name, "title": lane.title if lane else "", "external": bool(lane is None or lane.external)}


def _proof(name: str) -> dict[str, str]:
    found = requirements().get(name)
    return {"id": name, "clause": found.clause, "rule": found.rule} if found else {"id": name}


def row_data(row: Row, lanes: Sequence[str]) -> dict[str, Any]:
    """Return a row as the scripts of pages want it: lanes by number, and only what is there."""
    lane = {name: number for number, name in enumerate(lanes)}
    full = {
        "k": row.kind.value,
        "n": row.number,
        "t": round(row.time, 6),
        "x": row.text,
        "s": lane.get(row.source, -1),
        "d": lane.get(row.target, -1),
        "i": row.interface,
        "m": row.name,
        "v": row.verdict,
        "c": row.cause,
        "o": row.control,
        "u": row.clause,
        "f": row.fields,
        "b": row.octets.hex(),
        "l": row.line,
        "q": row.quiet,
        "e": row.source if row.source not in lane else "",
    }
    return {key: value for key, value in full.items() if key in "sdnt" or value}


def document(template: str, scripts: Iterable[str], styles: Iterable[str], **context: Any) -> str:
    """Return a page that is one file, with its script and its style."""
    script, style = "".join(scripts), "".join(styles)
    hashes = {"script_hash": source_hash(script), "style_hash": source_hash(style)}
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(script=script, style=style, **hashes, **context)


def packed(text: str) -> str:
    """Return a text as `unpacked` in parts.js reads it."""
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 6)).decode()


def script_json(value: Any) -> str:
    """Return JSON that may stand inside a script element: nothing in it can end the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def asset(name: str, package: str = _PACKAGE) -> str:
    """Return a file of a package, by default of this one."""
    data = pkgutil.get_data(package, name)
    assert data is not None  # noqa: S101 - the file is part of the package
    return data.decode()


def source_hash(text: str) -> str:
    """Return the source expression of a content security policy that allows this script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
