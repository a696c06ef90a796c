"""Every wire family has seeds to damage, and for each type of its messages a vector that is not ours.

What is compared is tried where it stands: python-diameter, pycrate, Wireshark, paho-mqtt and mosquitto are the others.
"""

from __future__ import annotations

import pkgutil
from importlib.util import find_spec

import pytest
from vectors import FOLDER, proofs, read_lines

from simwarden import wire
from simwarden.wire.family import families

PROOFS = proofs()


def test_every_family_is_proved() -> None:
    ours = {name for name, each in families().items() if each.reading.startswith(f"{wire.__name__}.")}
    assert ours - PROOFS.keys() == set(), "a folder in tests/vectors with a proof.py"


def test_every_folder_of_wire_declares_its_family() -> None:
    folders = {module.name for module in pkgutil.iter_modules(wire.__path__) if module.ispkg}
    declared = {name for name in folders if find_spec(f"{wire.__name__}.{name}.family")}
    assert folders == declared
    assert {f"{wire.__name__}.{name}" for name in folders} == {
        each.reading.partition(":")[0].rpartition(".")[0] for each in families().values()
    }, "an entry point of the group simwarden.families"


@pytest.mark.parametrize("name", PROOFS)
def test_seeds_are_there(name: str) -> None:
    assert PROOFS[name].octets
    for octets in PROOFS[name].octets.values():
        assert octets.takes
        assert read_lines(FOLDER / octets.seeds)


@pytest.mark.parametrize("name", PROOFS)
def test_every_type_has_a_vector(name: str) -> None:
    proof = PROOFS[name]
    types = proof.types()
    assert types
    assert (proof.compared is None) == bool(proof.alone), "say why there is nobody to compare it with"
    vectors = proof.compared() if proof.compared is not None else types
    assert types - vectors == set(), f"{name}: no vector from another implementation"
    assert vectors - types == set(), f"{name}: a vector of nothing"
