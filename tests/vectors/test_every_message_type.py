"""Every message type of every wire family has a vector from an implementation that is not ours.

A family joins by a row here: what it can build, and the table of vectors in the tests that compare it. What those
tables hold is tried where they stand: python-diameter, pycrate, Wireshark, paho-mqtt and mosquitto are the others.
"""

from __future__ import annotations

import importlib.util
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apdu_words
import pytest

from simwarden import wire
from simwarden.wire import s1ap, x2
from simwarden.wire.apdu.command import Ins
from simwarden.wire.diameter.dictionary import COMMANDS
from simwarden.wire.mqtt import PacketType
from simwarden.wire.nas import MessageType

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

TESTS = Path(__file__).parents[1]
#: modules of `wire` that are no family of messages; `uu` is a frame of our own, which nobody else speaks
NO_FAMILY = {"dissection", "uu"}


def load(path: str) -> ModuleType:
    """Import a test module by its file: tests are no package."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_").removesuffix(".py"), TESTS / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def nas_vectors() -> set[Any]:
    module = load("unit/wire/nas/test_messages.py")
    return {ours.type for ours, _, _ in module.VECTORS + module.ESM_VECTORS}


def asn1_vectors(kind: type[s1ap.Message]) -> set[str]:
    return {name for each, name in load("unit/wire/s1ap/test_codec.py").MESSAGES if each is kind}


def rrc_vectors() -> set[str]:
    compared = {
        "test_handover_command_is_pycrates": "HandoverCommand",
        "test_preparation_is_pycrates": "HANDOVER_PREPARATION_INFORMATION",
    }
    return {name for test, name in compared.items() if hasattr(load("unit/wire/test_rrc.py"), test)}


def rrc_types() -> set[str]:
    from simwarden.wire import rrc

    own = {name for name, value in vars(rrc).items() if getattr(value, "__module__", "") == rrc.__name__}
    return {name for name in own if name[0].isupper()} | {
        name for name in vars(rrc) if name.isupper() and name[0] != "_"
    }


FAMILIES: dict[str, tuple[Callable[[], set[Any]], Callable[[], set[Any]]]] = {
    "apdu": (lambda: set(Ins), lambda: set(apdu_words.VECTORS)),
    "diameter": (
        lambda: {command.name for command in COMMANDS.values()},
        lambda: {name for name, vectors in load("vectors/test_diameter.py").VECTORS.items() if vectors},
    ),
    "mqtt": (lambda: set(PacketType), lambda: {kind for kind, _, _ in load("unit/wire/test_mqtt.py").VECTORS}),
    "nas": (lambda: set(MessageType), nas_vectors),
    "rrc": (rrc_types, rrc_vectors),
    "s1ap": (lambda: set(s1ap.Message.specs), lambda: asn1_vectors(s1ap.Message)),
    "x2": (lambda: set(x2.Message.specs), lambda: asn1_vectors(x2.Message)),
}


def test_every_family_is_here() -> None:
    assert {module.name for module in pkgutil.iter_modules(wire.__path__)} - NO_FAMILY == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_type_has_a_vector(family: str) -> None:
    types, vectors = (each() for each in FAMILIES[family])
    assert types
    assert types - vectors == set(), f"{family}: no vector from another implementation"
    assert vectors - types == set(), f"{family}: a vector of nothing"
