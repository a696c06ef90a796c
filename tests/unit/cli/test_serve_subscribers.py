"""The file of subscribers: rows as they are needed, whatever their number, and no more than is written there."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from served import card, serve

from simwarden.cli.serving_subscribers import rows_in
from simwarden.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [card(number, learn="first-use") for number in range(300)]
WRITTEN: dict[str, Callable[[Any], str]] = {
    "yaml": lambda rows: yaml.safe_dump({"subscribers": rows}, sort_keys=False),
    "json": lambda rows: json.dumps({"subscribers": rows}, indent=2),
    "json in a line": lambda rows: "\ufeff" + json.dumps({"subscribers": rows}),
    "json with more": lambda rows: json.dumps({"about": {"a": [1]}, "subscribers": rows, "more": 1}),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_rows_are_those_that_were_written(tmp_path: Path, form: str) -> None:
    shared = {"types": ["module"], "on": True, "number": 7, "none": None}
    for rows in (ROWS, [{**ROWS[0], "sections": {"a": shared, "b": shared}}] * 2, []):
        (tmp_path / "cards").write_text(WRITTEN[form](rows))
        assert list(rows_in(tmp_path / "cards")) == rows


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB + "subscribers: [{imsi: '1', bomb: *i}]\n", "grows too large by its aliases"),
        ("subscribers:\n- imsi: '1'\n  x: " + "[" * 100_000 + "]" * 100_000 + "\n", "nest"),
        ("subscribers:\n- &a {imsi: '1', x: *a}\n", "nothing is anchored as 'a'"),
        ("subscribers: [{imsi: '1'}, {}]", "mappings with imsi is expected"),
        ("subscribers: {imsi: '1'}", "mappings with imsi is expected"),
        ("subscribers: [{imsi: '1'", "no YAML"),
        ("subscribers:\n- imsi: '1'\n- [1]: 2", "a key must be a word"),
        ("- imsi: '1'", "mappings with imsi is expected"),
        ("", "mappings with imsi is expected"),
        ('{"subscribers": [{"imsi": "1"},\n{"imsi": ]}', ":2: no JSON"),
        ('{"subscribers": [{"imsi": "1"}', "no JSON"),
        ('{"subscribers": [' + "[" * 100_000, "no JSON"),
        ("subscribers:\n- imsi: !!python/object:os.system x\n", "no YAML"),
    ],
)
def test_what_is_no_list_of_subscribers_is_told_soon(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "cards").write_text(text)
    began = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError) as wrong:
            list(rows_in(tmp_path / "cards"))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert said in str(wrong.value)
    assert most < 50 << 20
    assert time.process_time() - began < 10


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_large_file_takes_little_memory(tmp_path: Path, form: str) -> None:
    one = WRITTEN[form]([ROWS[0]])
    head, row, tail = one.partition("- name" if form == "yaml" else "{\n      ")
    body, end = (row + tail, "") if form == "yaml" else (row + tail.removesuffix("\n  ]\n}"), "]}")
    many = 5000
    (tmp_path / "cards").write_text(head + ("," if form == "json" else "").join([body] * many) + end)
    tracemalloc.start()
    try:
        assert sum(1 for _ in rows_in(tmp_path / "cards")) == many
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 << 20


SOON = "import simwarden.cli.serving_process as process; process._TOLD = 500"


@pytest.mark.slow
def test_a_large_file_is_provisioned_with_progress_and_while_others_are_served(tmp_path: Path) -> None:
    rows = [{**card(number, learn="first-use"), "scenario": "x" * 4000} for number in range(1200)]
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": rows}))
    assert (tmp_path / "cards.json").stat().st_size > 4 << 20
    settings = {"listen": {"S6a": "127.0.0.1:0"}, "management": "127.0.0.1:0", "tokens": {"operator": "o"}}
    with serve(tmp_path, "hss", {**settings, "subscribers": "cards.json"}, before=SOON) as served:
        url = "http://{}:{}".format(*served.where["management"])
        found = httpx.get(f"{url}/cards/001010000001199", headers={"Authorization": "Bearer o"})
        assert found.status_code == 200
        assert "\n1000 cards" in "\n" + served.log.read_text()
