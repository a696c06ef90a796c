"""Settings of a signalling point: what an element writes under `signalling`, and whom it knows there."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from simwarden.runtime.declare import Model, Networks, no_entry
from simwarden.wire.tbcd import AddressString

_LAST_POINT_CODE: Final = 0x3FFF


def _global(text: str) -> str:
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 3 <= len(digits) <= 15):
        raise ValueError(f"{text!r} is no number of a node in international form (E.164)")
    return digits


#: the number of a node of the network, digits in international form; a `+` before it is taken
NodeNumber = Annotated[str, AfterValidator(_global), Field(json_schema_extra={"pattern": r"^\+?[0-9]{3,15}$"})]
PointCode = Annotated[int, Field(ge=0, le=_LAST_POINT_CODE)]


class SignallingNode(Model):
    """A node with which the element speaks: its number and where it is."""

    number: NodeNumber
    """Its number in international form: as VLR, MSC, HLR or gsmSCF it says this one, and it is its global title."""
    point_code: PointCode
    """Its point code, 14 bits."""


class SignallingPeer(SignallingNode):
    """A node that makes its association with the element, as an application server process (M3UA)."""

    addresses: Networks = ()
    """Addresses and networks (`192.0.2.0/24`) that it connects from. Without any, the first host that connects for it
    keeps its place while that association stands. One that is named as an element of this process is that element."""


class Gateway(Model):
    """A signalling transfer point, or any peer, with which the element makes an association itself."""

    routing_context: int | None = None
    """The routing context that it knows this element by; none is said if none is given."""
    point_codes: tuple[PointCode, ...] = ()
    """What is reached by it; none: all that is not reached otherwise."""


def _different(nodes: dict[str, SignallingPeer]) -> dict[str, SignallingPeer]:
    for what in ("number", "point_code"):
        if len({getattr(each, what) for each in nodes.values()}) < len(nodes):
            raise ValueError(f"two nodes have the same {what}")
    return nodes


#: the nodes with which an element speaks, by any names
Nodes = Annotated[dict[str, SignallingPeer], AfterValidator(_different)]


class Signalling(Model):
    """Where an element is in the signalling network. By default others associate themselves with it."""

    point_code: PointCode
    """Its own point code, 14 bits."""
    number: NodeNumber
    """Its own number in international form, which is its global title."""
    routes: dict[str, Annotated[Gateway, BeforeValidator(no_entry)]] = Field(default_factory=dict)
    """Elements with which it makes an association itself (M3UA): a signalling transfer point, or who listens. None:
    it waits for the nodes to associate themselves, each with its point code as the routing context."""

    @property
    def address(self) -> AddressString:
        """Its number, as MAP and CAP carry it."""
        return AddressString(self.number)
