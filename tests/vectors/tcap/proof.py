"""TCAP, against pycrate."""

from __future__ import annotations

import mutation
from sigtran_messages import TCAPS
from vectors import Octets, Proof

from simwarden.wire import tcap
from simwarden.wire.family import Known
from simwarden.wire.tcap.reading import dissect


def _tcap(data: bytes) -> None:
    """Read a message and write what was read; what is wrong has the P-Abort cause that answers it."""
    try:
        message = tcap.decode(data)
    except tcap.TcapError as error:
        raise told(error) from error
    again = tcap.decode(tcap.encode(message))
    assert [type(each) for each in again.components] == [type(each) for each in message.components]


def told(error: tcap.TcapError) -> tcap.TcapError:
    """Return what is wrong, which must have a cause of the protocol, and somebody to tell it, or nobody."""
    assert error.code in set(tcap.AbortCause)
    assert len(error.otid) <= 4
    return error


PROOF = Proof(
    {"tcap": Octets("tcap/seeds.txt", mutation.mutate, (_tcap, lambda data: dissect(data, Known())), 8)},
    lambda: set(tcap.MessageType),
    lambda: {each.type for each in TCAPS.values()},
)
