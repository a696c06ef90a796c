"""CAP, against Wireshark (pycrate is in it: what it reads of its own says little)."""

from __future__ import annotations

import mutation
from vectors import FOLDER, Octets, Proof, load

from simwarden.errors import PeerError
from simwarden.wire import cap, tcap
from simwarden.wire.cap.reading import Cap
from simwarden.wire.family import Known


def _cap(data: bytes) -> None:
    """Read a component, and write and read again what of it is an operation."""
    component = tcap.decode_component(data)
    if not isinstance(component, tcap.Invoke):
        raise PeerError("no operation")
    operation, argument = cap.decode_invoke(component)
    octets = cap.CAP_USER.encode_argument(operation, argument)
    assert cap.CAP_USER.decode_argument(operation, octets) == argument


def _compared() -> set[str]:
    shown: set[str] = load(FOLDER.parent / "interop/test_tshark_sigtran.py").CAP_READ
    return shown


TAKES = (_cap, lambda data: Cap().dissect(data, Known()))
PROOF = Proof({"cap": Octets("cap/seeds.txt", mutation.mutate, TAKES, 3)}, lambda: set(Cap().messages()), _compared)
