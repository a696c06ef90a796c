"""NAS, against pycrate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mutation
from vectors import Octets, Proof, load

from simwarden.machine.nas_security import NasSecurityContext
from simwarden.wire import nas


def _nas(data: bytes) -> None:
    kind = nas.header_type(data)
    message = nas.decode(data, uplink=len(data) % 2 == 0)
    if kind is nas.SecurityHeaderType.PLAIN:
        nas.ue_may_process(message)


def _protected(data: bytes) -> None:
    """A peer that owns the keys: what is protected is opened, and read."""
    near = NasSecurityContext(bytes(32), ksi=0, eia=2, eea=2, is_network=False)
    far = NasSecurityContext(bytes(32), ksi=0, eia=2, eea=2, is_network=True)
    opened = far.unprotect(near.protect(data, nas.SecurityHeaderType.INTEGRITY_PROTECTED_AND_CIPHERED))
    assert opened == data
    nas.decode(opened, uplink=True)


def _secured(data: bytes) -> None:
    nas.split(data)
    NasSecurityContext(bytes(32), ksi=0, eia=2, eea=2, is_network=True).unprotect(data)


def _service_request(data: bytes) -> None:
    NasSecurityContext(bytes(32), ksi=0, eia=2, eea=2, is_network=True).verify_service_request(data)


def _compared() -> set[Any]:
    module = load(Path(__file__).with_name("test_pycrate.py"))
    return {ours.type for ours, _, _ in module.VECTORS + module.ESM_VECTORS}


TAKES = (_nas, nas.dissect, _protected, _secured, _service_request)
PROOF = Proof({"nas": Octets("nas/seeds.txt", mutation.mutate, TAKES, 18)}, lambda: set(nas.MessageType), _compared)
