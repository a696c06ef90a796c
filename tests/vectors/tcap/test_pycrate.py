"""Each TCAP message as pycrate reads it with its own envelope, and with the operations of CAP and MAP in it."""

from __future__ import annotations

from typing import Any

import pytest
from pycrate_asn1dir.TCAP_CAP import TCAP_CAP_Messages
from pycrate_asn1dir.TCAP_MAP import TCAP_MAP_Messages
from sigtran_messages import CAP_ANSWERS, CAPS, MAP_ANSWERS, MAPS, TCAPS, in_tcap

from simwarden.wire import tcap

CAP, MAP = TCAP_CAP_Messages.TCAP_CAP_Message, TCAP_MAP_Messages.TCAP_MAP_Message
NAMES = {tcap.Invoke: "invoke", tcap.ReturnResult: "returnResult", tcap.ReturnError: "returnError"}


def read(kind: Any, octets: bytes) -> tuple[str, Any]:
    """Return what pycrate reads; it writes the same octets."""
    kind.from_ber(octets)
    found: tuple[str, Any] = kind.get_val()
    kind.set_val(found)
    assert kind.to_ber() == octets
    return found


@pytest.mark.parametrize("name", TCAPS)
def test_pycrate_reads_tcap(name: str) -> None:
    message = TCAPS[name]
    octets = tcap.encode(message)
    assert tcap.decode(octets) == message
    kind, theirs = read(CAP, octets)
    assert kind == message.type.name.lower()
    assert theirs.get("otid", b"") == message.otid
    assert theirs.get("dtid", b"") == message.dtid
    assert len(theirs.get("components", ())) == len(message.components)
    for ours, (_, (what, component)) in zip(message.components, theirs.get("components", ()), strict=True):
        assert what == NAMES.get(type(ours), "reject")
        invoke_id = component["invokeId"]
        expected = getattr(ours, "invoke_id", None)
        assert invoke_id == (("present", expected) if expected is not None else ("absent", 0))
    if isinstance(message.dialogue, (tcap.Aarq, tcap.Aare)):
        told = str(theirs.get("dialoguePortion") or theirs["reason"])
        assert str(message.dialogue.context) in told


@pytest.mark.parametrize("name", [*CAPS, *CAP_ANSWERS])
def test_pycrate_reads_cap(name: str) -> None:
    component = (CAPS | CAP_ANSWERS)[name]
    _, theirs = read(CAP, in_tcap(component, gsm=False))
    assert "_unk" not in str(theirs["components"])


@pytest.mark.parametrize("name", [*MAPS, *MAP_ANSWERS])
def test_pycrate_reads_map(name: str) -> None:
    component = (MAPS | MAP_ANSWERS)[name]
    _, theirs = read(MAP, in_tcap(component, gsm=True))
    assert "_unk" not in str(theirs["components"])
