"""DTAP: MM and CC against pycrate, all against Wireshark."""

from __future__ import annotations

from pathlib import Path

import mutation
from vectors import FOLDER, Octets, Proof, load

from simwarden.wire import dtap
from simwarden.wire.dtap.reading import Dtap
from simwarden.wire.family import Known


def _dtap(data: bytes) -> None:
    """Read a message; what was read can be written, and read again as the same."""
    message = dtap.decode(data)
    again = dtap.decode(dtap.encode(message))
    assert again == message


def _compared() -> set[dtap.MessageType]:
    module = load(Path(__file__).with_name("test_pycrate.py"))
    shown: set[dtap.MessageType] = load(FOLDER.parent / "interop/test_tshark_dtap.py").READ
    return {*(ours.type for ours, _, _ in module.VECTORS), *shown}


TAKES = (_dtap, lambda data: Dtap().dissect(data, Known()))
PROOF = Proof({"dtap": Octets("dtap/seeds.txt", mutation.mutate, TAKES, 6)}, lambda: set(dtap.MessageType), _compared)
