"""Packets as scapy writes them, `IP(dst="198.51.100.80")/UDP(dport=53)/"octets"`, read as a chain of layers.

The text is never evaluated: it is parsed, and must be layers of scapy by their names, divided by `/`, whose fields are
literal values or layers again, or texts and octets as content. scapy (extra `traffic`) is loaded by the first packet.
"""

from __future__ import annotations

import ast
import importlib
import ipaddress
from typing import TYPE_CHECKING, Any, Final

from simwarden.errors import UnjudgedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapy.packet import Packet

#: where layers are looked for
_MODULES: Final = ("scapy.layers.inet", "scapy.layers.inet6", "scapy.layers.dns", "scapy.layers.ntp", "scapy.packet")
#: what a packet begins with, and what its addresses are
_FIRST: Final[dict[str, Callable[[str], object]]] = {"IP": ipaddress.IPv4Address, "IPv6": ipaddress.IPv6Address}
#: scapy's fields of addresses
_ADDRESSES: Final = frozenset({"IPField", "IP6Field"})
#: octets of the longest packet
_LONGEST: Final = 1500
_LONGEST_TEXT: Final = 10_000


def build(text: str, own: dict[int, str] | None = None) -> bytes:
    """Return the octets of a packet; `own` are source addresses by version of IP, for one that says none.

    Raises ValueError, which names what is wrong in the text, or UnjudgedError where scapy is not installed.
    """
    packet = _layers(_parse(text))
    first = packet.__class__.__name__
    if first not in _FIRST:
        raise ValueError(f"a packet begins with IP(...) or IPv6(...), not with {first}(...)")
    if "dst" not in packet.fields:
        raise ValueError(f"{first}(...) says no dst")
    if "src" not in packet.fields:  # scapy would take this machine's
        packet.src = (own or {}).get(6 if first == "IPv6" else 4) or ("::" if first == "IPv6" else "0.0.0.0")  # noqa: S104 - it is the address of nobody
    try:
        octets = bytes(packet)
    except Exception as error:  # noqa: BLE001 - scapy raises anything for values that do not fit
        raise ValueError(f"scapy cannot build {packet.command()}: {error}") from None
    if len(octets) > _LONGEST:
        raise ValueError(f"a packet of {len(octets)} octets is longer than {_LONGEST}")
    return octets


def _check_address(layer: str, field: Any, value: Any) -> None:
    """See that a text in a field of addresses is one.

    scapy would ask this machine's resolver for a name, at once, and make a packet for each address of a range.
    """
    if not isinstance(value, str) or not any(_ADDRESSES & _bases(each) for each in _kinds(field)):
        return
    try:
        _FIRST.get(layer, ipaddress.ip_address)(value)
    except ValueError:
        raise ValueError(f"{layer}({field.name}={value!r}) is no address") from None


def _kinds(field: Any) -> list[Any]:
    """Return what a field may be: scapy wraps fields, and has some of several kinds."""
    if "MultipleTypeField" in _bases(field):
        return [each for each, _ in field.flds]
    return [field.fld] if "Emph" in _bases(field) else [field]


def _bases(field: Any) -> set[str]:
    return {each.__name__ for each in type(field).__mro__}


def _parse(text: str) -> ast.expr:
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"a packet in {len(text)} characters is too long")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text!r} is no chain of layers such as IP(dst='192.0.2.1')/UDP(dport=53): {error}") from None


def _layers(node: ast.expr) -> Any:
    """Return the layers of a chain, which the parser has nested from the left."""
    later = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        later.append(node.right)
        node = node.left
    if not isinstance(node, ast.Call):
        found = ast.unparse(node)
        raise ValueError(f"a packet begins with IP(...) or IPv6(...), not with {found}")  # noqa: TRY004 - of the file
    chain = _layer(node)
    for each in reversed(later):
        chain = chain / _layer(each)
    return chain


def _layer(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        return node.value.encode() if isinstance(node.value, str) else node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _one(node.func.id, node)
    raise ValueError(f"{ast.unparse(node)} is no layer: write NAME(field=value, ...), and / between layers")


def _one(name: str, node: ast.Call) -> Packet:
    kind = _kind(name)
    fields = {each.name: each for each in kind.fields_desc}
    if len(node.args) > 1 or (node.args and list(fields) != ["load"]):
        raise ValueError(f"{name}(...) wants its fields by name: {', '.join(fields)}")
    values = {"load": _value(node.args[0])} if node.args else {}
    for each in node.keywords:
        if each.arg is None or each.arg not in fields:
            raise ValueError(f"{name} has no field {each.arg}; it has {', '.join(fields)}")
        values[each.arg] = _value(each.value)
        _check_address(name, fields[each.arg], values[each.arg])
    try:
        return kind(**values)
    except Exception as error:  # noqa: BLE001 - as in build
        raise ValueError(f"scapy cannot take {ast.unparse(node)}: {error}") from None


def _kind(name: str) -> type[Packet]:
    try:
        modules = [importlib.import_module(each) for each in _MODULES]
    except ImportError:
        raise UnjudgedError("packets by layers need scapy: pip install 'simwarden[traffic]'") from None
    base = modules[-1].Packet
    for module in modules:
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, base) and found is not base:
            return found
    raise ValueError(f"scapy has no layer {name} here (IP, IPv6, TCP, UDP, ICMP, ICMPv6..., DNS, NTP, Raw)")


def _value(node: ast.expr) -> Any:
    """Return a literal value, or a layer in a field (`DNS(qd=DNSQR(...))`)."""
    if isinstance(node, ast.Call):
        return _layer(node)
    if isinstance(node, (ast.List, ast.Tuple)) and any(isinstance(each, ast.Call) for each in node.elts):
        return [_value(each) for each in node.elts]
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise ValueError(f"{ast.unparse(node)} is no literal value") from None
