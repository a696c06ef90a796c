"""docs/ports.md: every port of every element has a row, and an unknown host gets the answer of the row."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import strangers
from served import NET, card, serve
from strangers import NOTHING, PINNED, SILENCE, ask, capabilities, http_status
from waiting import reserved_port

from simwarden.model.interfaces import INTERFACES
from simwarden.scenario.registry import Registry

if TYPE_CHECKING:
    from served import Served
    from strangers import Probe

PAGE = Path(__file__).parents[3] / "docs" / "ports.md"
HTTP: Final = ("management", "north")
NOWHERE = dict.fromkeys(("hss", "eir", "mme", "scp", "pstn", "smsc", "sgw", "pgw", "internet"), "127.0.0.1:9")
GTP = {"enb": f"{NET}.11", "mme": f"{NET}.12", "sgw": f"{NET}.13", "pgw": f"{NET}.14"}
PLACED = {"addresses": [PINNED]}
NODE = {"ssp": {"number": "8613800000008", "point_code": 8, **PLACED}}
PASSWORD = {"password": "secret", "codes": ["10658000"]}
#: settings that place the peers of each element at other addresses
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "broker": {"users": {"noc": "secret"}},
    "cmp": {
        "peers": {"mme": PLACED},
        "hss": "off",
    },
    "eir": {"peers": {"mme": PLACED}, "signalling": {"nodes": NODE}},
    "hss": {
        "peers": {"mme": PLACED, "smsc": PLACED},
        "centres": {"smsc": "+8613800100500"},
        "signalling": {"nodes": NODE},
    },
    "mme": {"enbs": ["999"]},
    "ocs": {"peers": {"pgw": PLACED, "smsc": PLACED}},
    "pcrf": {"peers": {"pgw": PLACED}},
    "scp": {"ssps": NODE},
    "sms_gateway": {
        "smsc": "",
        "accounts": {
            "waterworks": {"system_id": "gateway", "password": "s3cret"},
            "gas": {"system_id": "901234", "password": "x"},
        },
    },
    "smsc": {"peers": {"mme": PLACED}, "gateways": {"gateway": PASSWORD}},
    "ssp": {"trunks": {"pstn": {}}},
    "pstn": {"phones": {"room": {"number": "+8613800001111", "when_called": "ring"}}},
}
NORTH: Final = {"mme": "off", "clients": {"desk": {"token": "desk-secret", "role": "operator", "scopes": []}}}
MANAGEMENT: Final = {"management": "127.0.0.1:0", "tokens": {"operator": "a-token-of-the-operator"}}
#: a resource of each HTTP interface
RESOURCES: Final = {"management": "/", "north": "/iot-sim-fraud-prevention/vwip/query"}
PEERS: Final = {"S6c": "smsc", "Ro": "smsc", "Gx": "pgw", "Gy": "pgw"}
PROBES: Final = {
    "MQTT": strangers.mqtt_connect,
    "M3UA": strangers.asp_up,
    "Uu": strangers.search,
    "X2": strangers.x2_setup,
    "S1-MME": strangers.s1_setup,
    "S5-C": strangers.create,
    "SIP": strangers.invite,
    "Um": strangers.call_by_imsi,
    "ME-UICC": strangers.contacts,
    "SMPP": strangers.smpp_bind,
    "CMPP": strangers.cmpp_connect,
    "SGi": strangers.user_packet,
    **dict.fromkeys(("S1-U", "X2-U", "S5-U"), strangers.packet),
}


def rows() -> dict[tuple[str, str], str]:
    """Return the answers of the page, by element and port."""
    found = re.findall(r"^\| `(\w+)` \| ([\w-]+) \|.*\| `([^`]+)`[^|]*\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {(element, port): answer for element, port, answer in found}


ROWS = rows()
KINDS = sorted({element for element, _ in ROWS})


def probe_of(kind: str, interface: str) -> Probe:
    """Return the message of a stranger for a port."""
    if INTERFACES[interface].protocol == "diameter":
        return capabilities(PEERS.get(interface, "mme"), interface)
    if interface == "S11":
        return strangers.notify() if kind == "mme" else strangers.create()
    return PROBES[interface]()


def served(folder: Path, kind: str, stack: ExitStack, **more: Any) -> Served:
    """Serve an element on loopback, at free ports."""
    (folder / "cards.yaml").write_text(str({"subscribers": [card(1)]}))
    listens = Registry.installed().declaration(kind).listens
    shared = {INTERFACES[each].port: each for each in listens}.values()
    gtp = {each: f"{GTP[kind]}:{INTERFACES[each].port}" for each in listens if INTERFACES[each].protocol[:3] == "gtp"}
    north = stack.enter_context(reserved_port())
    settings = SETTINGS.get(kind, {})
    file = {
        "settings": settings | {"north": NORTH | {"listen": f"127.0.0.1:{north}"}} if kind == "cmp" else settings,
        "listen": dict.fromkeys(shared, "127.0.0.1:0") | gtp,
        "peers": {name: where for name, where in NOWHERE.items() if name != kind},
        "transport": "tcp",
        **({"subscribers": "cards.yaml"} if kind == "uicc" else {}),
        **(MANAGEMENT if (kind, "management") in ROWS else {}),
        **more,
    }
    element = stack.enter_context(serve(folder, kind, file))
    element.where["north"] = "127.0.0.1", north
    return element


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_port_has_a_row() -> None:
    registry = Registry.installed()
    kinds = [each for each in registry.kinds if each != "intruder" and _is_ours(registry.kinds[each])]
    ports = {(each, port) for each in kinds for port in registry.declaration(each).listens}
    assert {row for row in ROWS if row[1] not in HTTP} == ports
    assert {row[1] for row in ROWS} >= {*HTTP}


def _is_ours(element: type[Any]) -> bool:
    return element.__module__.startswith("simulators.")


@pytest.mark.slow
def test_a_stranger_gets_what_the_page_says(kind: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        element = served(tmp_path, kind, stack)
        found = {}
        for of, port in ROWS:
            if of == kind:
                where = element.where[port]
                word = http_status(where, RESOURCES[port]) if port in HTTP else ask(where, port, probe_of(kind, port))
                found[kind, port] = word or "no answer"
        assert found == {row: answer for row, answer in ROWS.items() if row[0] == kind}
        assert element.faults() == ""


@pytest.mark.slow
def test_a_stranger_gets_nothing_where_others_are_allowed(kind: str, tmp_path: Path) -> None:
    ports = [port for of, port in ROWS if of == kind and port not in HTTP]
    with ExitStack() as stack:
        element = served(tmp_path, kind, stack, allow={port: [PINNED] for port in ports})
        answers = {port: ask(element.where[port], port, probe_of(kind, port), SILENCE) for port in ports}
        assert answers == dict.fromkeys(ports, NOTHING)
        assert element.log.read_text().count("its address is not allowed here") >= len(
            {element.where[each] for each in ports}
        )
