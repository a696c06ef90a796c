"""Which known node speaks from an address, and what settings of the signalling network say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simulators.hss.config import HlrSignalling
from simwarden.runtime.sigtran.gateway import Place
from simwarden.runtime.sigtran.nodes import is_at, node_at
from simwarden.runtime.sigtran.settings import Signalling, SignallingNode, SignallingPeer
from simwarden.wire.sccp import Address, GlobalTitle
from simwarden.wire.tbcd import AddressString

SSP = SignallingNode(number="+8613800000008", point_code=8)
TITLE, OTHER = GlobalTitle("8613800000008", 4, 0, 1), GlobalTitle("8613800000018", 4, 0, 1)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (Address(7, 8), "ssp"),
        (Address(7, 8, TITLE), "ssp"),
        (Address(7, None, TITLE, route_on_ssn=False), "ssp"),
        (Address(7, 18), ""),
        (Address(7, 18, TITLE), ""),
        (Address(7, 8, OTHER), ""),
        (Address(7), ""),
        (Address(), ""),
    ],
)
def test_a_node_is_known_by_all_that_its_address_tells(address: Address, found: str) -> None:
    assert node_at(address, {"ssp": SSP}) == found
    assert is_at(SSP, address) is bool(found)
    assert node_at(address, {"ssp": SSP}, "8613800000018") == ""


def test_numbers_of_nodes_are_international() -> None:
    settings = Signalling.model_validate({"point_code": "6", "number": "+8613800000006", "routes": {"stp": ""}})
    assert settings.address == AddressString("8613800000006")
    assert settings.routes["stp"].routing_context is None
    for wrong in ("1a", "86138x", "12", "+" + "1" * 16):
        with pytest.raises(ValueError, match="international form"):
            Signalling.model_validate({"point_code": "6", "number": wrong})
    with pytest.raises(ValueError, match="same point_code"):
        HlrSignalling.model_validate(
            {"nodes": {"a": SSP.model_dump(), "b": {"number": "8613800000018", "point_code": 8}}}
        )
    with pytest.raises(ValueError, match="16383"):
        Signalling.model_validate({"point_code": "16384", "number": "8613800000006"})


@pytest.mark.parametrize(
    ("place", "internal", "remote", "fits"),
    [
        (Place(), True, "rogue", True),
        (Place(), False, "192.0.2.66:4000", True),
        (Place("ssp"), True, "ssp", True),
        (Place("ssp"), True, "rogue", False),
        (Place("ssp"), False, "192.0.2.66:4000", False),
        (Place("ssp", ("192.0.2.0/28",)), False, "192.0.2.8:4000", True),
        (Place("", ("192.0.2.0/28",)), False, "192.0.2.66:4000", False),
        (Place("", ("2001:db8::/32",)), False, "2001:db8::8:4000", True),
    ],
)
def test_the_processes_of_a_server_are_where_it_is_placed(
    place: Place, remote: str, *, internal: bool, fits: bool
) -> None:
    link: Any = SimpleNamespace(internal=internal, remote=remote)
    assert place.has(link) is fits


def test_a_node_is_placed_by_addresses() -> None:
    node = {"number": "8613800000008", "point_code": 8, "addresses": ["192.0.2.8", "198.51.100.0/28"]}
    peer = SignallingPeer.model_validate(node)
    assert peer.addresses == ("192.0.2.8/32", "198.51.100.0/28")
    with pytest.raises(ValueError, match="has host bits set"):
        SignallingPeer.model_validate(node | {"addresses": ["192.0.2.8/28"]})
