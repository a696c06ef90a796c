"""The file of subscribers: rows as they are needed, whatever their number, and no more than is written there."""

from __future__ import annotations

import json
import socket
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from served import Client, Served, card, serve
from waiting import LONG

from simwarden.cli import serving_process
from simwarden.cli.serving import Service
from simwarden.cli.serving_subscribers import rows_in
from simwarden.errors import ConfigError, SimwardenError

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
        assert [row.values for row in rows_in(tmp_path / "cards")] == rows


@pytest.mark.parametrize("form", WRITTEN)
def test_rows_know_their_lines(tmp_path: Path, form: str) -> None:
    text = WRITTEN[form](ROWS)
    (tmp_path / "cards").write_text(text)
    lines = text.split("\n")
    found = list(rows_in(tmp_path / "cards"))
    assert len(found) == len(ROWS)
    for row in found:
        nearby = "".join(lines[row.place.line - 1 : row.place.line + 3])
        assert row.values["imsi"] in nearby
        assert str(row.place) == f"{tmp_path / 'cards'}:{row.place.line}"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB + "subscribers: [{imsi: '1', bomb: *i}]\n", "grows too large by its aliases"),
        ("subscribers:\n- imsi: '1'\n  x: " + "[" * 100_000 + "]" * 100_000 + "\n", "nest"),
        ("subscribers:\n- imsi: '1'\n  x: " + "[" * 60 + "]" * 60 + "\n", "is nested too deep, or grows"),
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
        ("subscribers:\n- imsi: '1'\n  name: !!int x\n", "cards:3:9: 'x' is not what its form or tag says"),
        ("subscribers:\n- imsi: '1'\n  name: 2026-99-99\n", "cards:3:9: '2026-99-99' is not what its form or tag says"),
        (f"subscribers:\n- imsi: {'9' * 5000}\n", "cards:2:9: '9999999999999999999999999999999999999999' is not"),
        ('{"subscribers": [{"imsi": %s}]}' % ("9" * 5000), "a number is too long"),
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


SOON = "import simwarden.cli.serving_provision as provision; provision._TOLD = 500"


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
        assert "Z 1000 cards of the file" in served.log.read_text()


#: no card is taken until a file says so
HELD = """
import asyncio, pathlib, simwarden.cli.serving_provision as provision
take = provision._take
async def held(*of):
    while not pathlib.Path({go!r}).exists():
        await asyncio.sleep(0.02)
    await take(*of)
provision._take = held
"""


def _answered_at_once(port: int, go: Path) -> bool:
    """Connect as an MME while cards are not taken yet; let them be taken, and return whether it was answered before."""
    while True:
        with suppress(ConnectionRefusedError), Client(("127.0.0.1", port), connect_only=True) as client:
            client.send(client.capabilities())
            at_once = client.hears_within(0.5)
            go.touch()
            assert client.receive().success
            return at_once
        time.sleep(0.02)


@pytest.mark.slow
def test_no_peer_is_served_before_a_first_file_was_taken_to_its_end(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    go, settings = tmp_path / "go", {**SETTINGS, "listen": {"S6a": f"127.0.0.1:{port}"}}
    settings["store"] = f"sqlite:///{tmp_path}/store.sqlite"
    for many, at_once in ((2, False), (3, True)):  # a third card is new at the second start
        (tmp_path / "cards.json").write_text(json.dumps({"subscribers": [card(number) for number in range(many)]}))
        go.unlink(missing_ok=True)
        with ThreadPoolExecutor(1) as beside:
            peer = beside.submit(_answered_at_once, port, go)
            with serve(tmp_path, "hss", settings, before=HELD.format(go=str(go))) as served:
                assert peer.result(LONG) is at_once
                assert len(_asked(served, "/cards")) == many


def _asked(served: Served, path: str) -> Any:
    url = "http://{}:{}".format(*served.where["management"])
    return httpx.get(f"{url}{path}", headers={"Authorization": "Bearer o"}).json()


SETTINGS = {"management": "127.0.0.1:0", "tokens": {"operator": "o"}, "subscribers": "cards.json"}
#: an element's interface, its binding, and what is told of a card but who asked and when
BULK = {"hss": ("S6a", {"by": "hss", "learn": "first-use"}), "cmp": ("S13", {"by": "cmp", "imei": "35693803564380"})}
ONE_BY_ONE = "import simwarden.operations.element as e, {0} as m; m.{1}.provision_new = e.Element.provision_new"
KINDS = {"hss": ("simulators.hss.element", "Hss"), "cmp": ("simulators.cmp.element", "Cmp")}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BULK)
def test_cards_that_are_provisioned_at_once_are_as_if_each_had_been_by_itself(tmp_path: Path, kind: str) -> None:
    interface, binding = BULK[kind]
    rows = [{**card(number), "sections": {"binding": [binding]}} for number in range(3)] + [card(3)]
    rows[2]["msisdn"] = ""
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": rows}))
    told = []
    for before in ("", ONE_BY_ONE.format(*KINDS[kind])):
        with serve(tmp_path, kind, {**SETTINGS, "listen": {interface: "127.0.0.1:0"}}, before=before) as served:
            told.append([_asked(served, path) for row in rows for path in _paths(row["imsi"])])
    for each in told:
        for _, audit in zip(each[::2], each[1::2], strict=True):
            for record in audit if isinstance(audit, list) else audit["records"]:
                del record["at"]
    assert told[0] == told[1]
    assert told[0][0]["binding"]["how"] in ("learned", "given")


def _paths(imsi: str) -> tuple[str, str]:
    return f"/cards/{imsi}", f"/cards/{imsi}/audit"


@pytest.mark.slow
@pytest.mark.parametrize("kind", BULK)
def test_new_cards_are_kept_many_at_a_time(tmp_path: Path, kind: str) -> None:
    interface, binding = BULK[kind]
    rows = [{**card(number), "sections": {"binding": [binding]}} for number in range(1000)]
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": rows}))
    counting = (
        "import sqlalchemy as sa, sys; n = [0]\n"
        "def count(*_): n[0] += 1; print('statements', n[0], file=sys.stderr)\n"
        "sa.event.listen(sa.Engine, 'before_cursor_execute', count)"
    )
    settings = {**SETTINGS, "listen": {interface: "127.0.0.1:0"}, "store": f"sqlite:///{tmp_path}/store.sqlite"}
    with serve(tmp_path, kind, settings, before=counting) as served:
        assert _asked(served, f"/cards/{rows[-1]['imsi']}")["msisdn"] == rows[-1]["msisdn"]
        assert served.log.read_text().count("statements") < 150  # by themselves they take five each


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"k": "00"}, "K and OPc have 32 hexadecimal digits each"),
        ({"msisdn": "13800000002"}, "is a public mobile number"),
        ({"form": ["plug-in"]}, "form: "),
        ({"sections": {"binding": [{"by": "hss", "imei": "1"}]}}, "imei: "),
        ({"sections": {"area": [{"zones": ["x"]}]}}, "zones: "),
        ({"imsi": "00101/x"}, "imsi: "),
    ],
)
def test_a_card_that_is_wrong_is_told_with_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(serving_process, "_ready", lambda *_: pytest.fail("it serves"))
    rows = [{**row, **(change if place == 40 else {})} for place, row in enumerate(ROWS[:60])]
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": rows}, indent=2))
    text = (tmp_path / "cards.json").read_text()
    line = text[: text.index(f'"name": "{rows[40]["name"]}"')].count("\n")
    (tmp_path / "hss.yaml").write_text(json.dumps({"listen": {"S6a": "127.0.0.1:0"}, "subscribers": "cards.json"}))
    with pytest.raises(ConfigError) as wrong:
        serving_process.serve_element("hss", str(tmp_path / "hss.yaml"))
    told = str(wrong.value)
    assert told.startswith(f"{tmp_path / 'cards.json'}:{line}: hss does not take card {rows[40]['imsi']}: ")
    assert said in told


@pytest.mark.slow
def test_a_card_with_anothers_number_is_left_and_told_with_its_row(tmp_path: Path) -> None:
    rows = [card(number) for number in range(3)]
    rows[1]["msisdn"] = rows[0]["msisdn"]
    (tmp_path / "cards.json").write_text(json.dumps({"subscribers": rows}, indent=2))
    with serve(tmp_path, "hss", {**SETTINGS, "listen": {"S6a": "127.0.0.1:0"}}) as served:
        told = served.log.read_text()
        assert f"cards.json:14: card {rows[1]['imsi']} is left as it is: another card has the msisdn" in told
        assert [each["imsi"] for each in _asked(served, "/cards")] == [rows[0]["imsi"], rows[2]["imsi"]]


def test_a_file_that_is_not_there_is_told_before_a_port_opens(tmp_path: Path) -> None:
    (tmp_path / "hss.yaml").write_text(json.dumps({"subscribers": "cards.json", "store": f"sqlite:///{tmp_path}/s"}))
    with pytest.raises(SimwardenError, match=r"hss.yaml:1:17: .*cards.json: there is no such file"):
        Service("hss", str(tmp_path / "hss.yaml"))
    assert not (tmp_path / "s").exists()
