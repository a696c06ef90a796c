"""MAP, against Wireshark (pycrate is in it: what it reads of its own says little)."""

from __future__ import annotations

import mutation
from vectors import FOLDER, Octets, Proof, load

from simwarden.errors import PeerError
from simwarden.wire import map as gsm_map
from simwarden.wire import tcap
from simwarden.wire.family import Known
from simwarden.wire.map.reading import Map


def _map(data: bytes) -> None:
    """Read a component, and write and read again what of it is an operation."""
    component = tcap.decode_component(data)
    if not isinstance(component, tcap.Invoke):
        raise PeerError("no operation")
    operation, argument = gsm_map.decode_invoke(component)
    octets = gsm_map.MAP_USER.encode_argument(operation, argument)
    assert gsm_map.MAP_USER.decode_argument(operation, octets) == argument


def _compared() -> set[str]:
    shown: set[str] = load(FOLDER.parent / "interop/test_tshark_sigtran.py").MAP_READ
    return shown


TAKES = (_map, lambda data: Map().dissect(data, Known()))
PROOF = Proof({"map": Octets("map/seeds.txt", mutation.mutate, TAKES, 3)}, lambda: set(Map().messages()), _compared)
