"""The RRC of handover containers, which S1AP and X2AP carry as octets, against pycrate."""

from __future__ import annotations

from pathlib import Path

import mutation
from vectors import Octets, Proof, load

from simwarden.wire import rrc

COMPARED = {
    "test_handover_command_is_pycrates": "HandoverCommand",
    "test_preparation_is_pycrates": "HANDOVER_PREPARATION_INFORMATION",
}


def _types() -> set[str]:
    own = {name for name, value in vars(rrc).items() if getattr(value, "__module__", "") == rrc.__name__}
    constants = {name for name in vars(rrc) if name.isupper() and name[0] != "_"}
    return {name for name in own if name[0].isupper()} | constants


def _compared() -> set[str]:
    module = load(Path(__file__).with_name("test_pycrate.py"))
    return {name for test, name in COMPARED.items() if hasattr(module, test)}


PROOF = Proof({"rrc": Octets("rrc/seeds.txt", mutation.mutate, (rrc.decode_handover_command,), 2)}, _types, _compared)
