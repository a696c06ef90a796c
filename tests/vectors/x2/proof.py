"""X2AP, against pycrate, in the tests of S1AP: both are of one codec."""

from __future__ import annotations

import mutation
from vectors import FOLDER, Octets, Proof, load

from simwarden.wire import x2


def _compared() -> set[str]:
    return {name for each, name in load(FOLDER / "s1ap/test_pycrate.py").MESSAGES if each is x2.Message}


PROOF = Proof(
    {"x2": Octets("x2/seeds.txt", mutation.aper, (x2.decode, x2.dissect), 6)}, lambda: set(x2.Message.specs), _compared
)
