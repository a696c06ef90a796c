"""Wire families declare themselves: nothing else in `src` knows one, none loads its codec before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.errors import ConfigError
from simwarden.model import interfaces
from simwarden.model.interfaces import INTERFACES, Interface, Service, declared, spoken_on
from simwarden.wire.family import CauseField, Causes, Family, families, family_of, on_interface, with_carried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCES = Path(interfaces.__file__).parents[1]
#: strings that are spelt as a family or its reference point is, and mean something else
OTHERS = {
    ("cli/serving_events.py", "mqtt"): "the scheme of a broker's URL",
    ("policy/access_list.py", "mqtt"): "the scheme of a URL on a list",
    ("campaign/impact/meters.py", "diameter"): "the name of a figure",
    ("campaign/impact/columns.py", "diameter"): "the name of a figure",
    ("campaign/impact/columns.py", "S1-MME"): "the heading of a column",
    ("runtime/site.py", "ip"): "the protocol of user packets",
    ("runtime/tun.py", "ip"): "the program of iproute2",
}
#: who speaks a protocol, and so has its codec
SPEAKERS: tuple[str, ...] = ("machine/", "runtime/diameter", "operations/events.py", "runtime/transport/vpcd.py")
SPEAKERS += (
    "cli/serving_file.py",
    "runtime/gtp/",
    "runtime/ip/",
    "runtime/ppsms.py",
    "runtime/sigtran/",
    "runtime/sip.py",
)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        if not name.startswith(("wire/", "testing/")):  # scripted neighbours speak, as elements do
            yield name, ast.parse(path.read_text())


def test_no_string_of_a_family_stands_outside_wire() -> None:
    names = {*families(), *INTERFACES}
    found = {
        (name, node.value): node.lineno
        for name, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    }
    assert set(found) == set(OTHERS)


def test_only_who_speaks_a_protocol_imports_its_codec() -> None:
    folders = tuple(f"simwarden.wire.{each.name}" for each in (SOURCES / "wire").iterdir() if each.is_dir())
    found = {
        (name, each)
        for name, module in modules()
        for node in ast.walk(module)
        for each in imported(node)
        if each.startswith(folders) and not each.endswith(".family")
    }
    assert {name for name, _ in found if not name.startswith(SPEAKERS)} == set()


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom) and node.module == "simwarden.wire":
        return [f"{node.module}.{each.name}" for each in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.slow
@pytest.mark.parametrize("look", ["families()", "list(INTERFACES.values())", "on_interface('S1-MME')"])
def test_no_codec_is_loaded_before_it_is_needed(look: str) -> None:
    code = f"""
import sys
from simwarden.model.interfaces import INTERFACES
from simwarden.wire.family import families, on_interface
{look}
print(*sorted(name for name in sys.modules if name.startswith("simwarden.wire.")))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    loaded = {name.removeprefix("simwarden.wire.") for name in told.stdout.split()}
    folders = {name for name in loaded if "." not in name}
    assert loaded == folders | {f"{each}.family" for each in folders - {"family", "lazily", "stream"}}


@pytest.mark.slow
@pytest.mark.parametrize("command", [["--help"], ["list", "--help"]])
def test_help_asks_for_no_family(command: list[str]) -> None:
    code = f"""
import sys
sys.argv = ["simwarden", *{command}]
from simwarden.cli.main import main
try:
    main()
finally:
    print(*(name for name in sys.modules if name.startswith(("simwarden.wire", "simwarden.model.interfaces"))))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert told.stdout.splitlines()[-1].strip() == ""


def test_all_that_families_name_is_there() -> None:
    for family in families().values():
        reading = family.read()
        assert set(family.carries) <= set(families())
        words = set(reading.messages())
        assert family.carriers <= words
        assert family.reasons <= words
        assert {name for name in reading.short_names().values() if name not in words} == set()
        told = {each.name for name in words for info in [reading.info(name)] if info for each in info.fields}
        told |= {each.name for name in words for info in [reading.info(name)] if info for each in info.others}
        assert {each.name for each in family.cause_fields} <= told
        assert family.telling is None or family.telling[0] <= words
        for each in family.causes:
            assert any(isinstance(one, type) for one in vars(__import__(each.module, fromlist=["x"])).values())


def test_from_card_to_core() -> None:
    gtp = ["S11", "S5-C", "S1-U", "S5-U", "X2-U"]
    diameter = ["S6a", "S13", "Gx", "Gy", "Ro", "SGd", "S6c"]
    outside = ["M3UA", "SGi", "SMPP", "CMPP", "SIP", "MQTT"]
    assert list(INTERFACES) == ["ME-UICC", "Uu", "Um", "S1-MME", "X2", *gtp, *diameter, *outside]
    assert [each.name for each in with_carried("s1ap")] == ["s1ap", "nas", "ppsms", "tpdu"]
    assert [each.name for each in on_interface("Uu")] == ["uu", "nas", "ppsms", "tpdu"]
    assert family_of("carrier-pigeon").read().mask(b"coo") == b"coo"
    assert "Rx" not in INTERFACES


# -- what others bring


@pytest.fixture(name="installed")
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install families by name instead of those that are."""

    def install(**given: Any) -> None:
        points = [EntryPoint(name, f"{__name__}:{name}", interfaces.GROUP) for name in given]
        monkeypatch.setattr(interfaces, "entry_points", lambda group: points if group == interfaces.GROUP else ())
        monkeypatch.setattr(EntryPoint, "load", lambda point: given[point.name])
        forget()

    yield install
    monkeypatch.undo()
    forget()


def forget() -> None:
    declared.cache_clear()
    interfaces._by_name.cache_clear()
    with_carried.cache_clear()


def made(name: str, *points: Interface, **more: Any) -> Family:
    return Family(name=name, title=name, reading="nowhere:Nothing", interfaces=points, **more)


SIP = Interface("SIP", "sip", Service.DATAGRAMS, 5060)


def test_two_families_of_a_name_are_an_error(installed: Callable[..., None]) -> None:
    installed(one=made("sip"), two=made("sip"))
    with pytest.raises(ConfigError, match=r"wire family two \(.*\) has the name of one \("):
        families()


def test_a_reference_point_that_two_declare_is_an_error(installed: Callable[..., None]) -> None:
    installed(one=made("sip", SIP), two=made("sips", Interface("SIP", "sips", Service.DATAGRAMS, 5061)))
    with pytest.raises(ConfigError, match=r"wire family two .*: interface SIP is declared by one"):
        list(INTERFACES)


def test_a_family_speaks_for_itself_only(installed: Callable[..., None]) -> None:
    installed(one=made("sips", SIP))
    with pytest.raises(ConfigError, match="its interface SIP speaks sip"):
        families()


def test_one_reference_point_may_be_carried_in_two_ways(installed: Callable[..., None]) -> None:
    stream = Interface("SIP", "sip", Service.STREAM, 5060)
    other = Interface("SIP", "sctp-sip", Service.MESSAGES, 5060)
    installed(one=made("sip", SIP, stream, carries=("sdp",)), two=made("sctp-sip", other), sdp=made("sdp"))
    assert INTERFACES["SIP"] in spoken_on("SIP")
    assert set(spoken_on("SIP")) == {SIP, stream, other}
    assert {each.name for each in on_interface("SIP")} == {"sip", "sctp-sip", "sdp"}


def test_what_cannot_be_loaded_is_named(installed: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    installed(one=made("sip", SIP))
    with pytest.raises(ConfigError, match="wire family sip: nowhere:Nothing cannot be loaded"):
        families()["sip"].read()
    broken = EntryPoint("broken", "nowhere.family:NONE", interfaces.GROUP)
    monkeypatch.undo()
    monkeypatch.setattr(interfaces, "entry_points", lambda group: [broken] if group else ())
    forget()
    with pytest.raises(ConfigError, match=r"wire family broken \(nowhere.family:NONE\) cannot be loaded"):
        families()


def test_families_can_be_compared_and_shown() -> None:
    first = made("sip", SIP, causes=(Causes("x"),), cause_fields=(CauseField("status", "SIP", range(200, 300)),))
    assert first == made("sip", SIP, causes=(Causes("x"),), cause_fields=first.cause_fields)
    assert "sip" in repr(first)
