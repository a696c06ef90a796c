"""M3UA, against pycrate."""

from __future__ import annotations

import mutation
from sigtran_messages import M3UAS
from vectors import Octets, Proof

from simwarden.errors import PeerError
from simwarden.wire import m3ua
from simwarden.wire.family import Known
from simwarden.wire.m3ua.reading import M3ua


def _m3ua(data: bytes) -> None:
    """Read a message and write what was read; what is wrong has the error code that answers it."""
    try:
        message = m3ua.decode(data)
        assert m3ua.decode(m3ua.encode(message)) == message
    except PeerError as error:
        raise told(error) from error


def told(error: PeerError) -> PeerError:
    """Return what is wrong, which must have a code of the protocol."""
    assert error.code in set(m3ua.ErrorCode)
    return error


def _cut(data: bytes) -> None:
    messages, rest = M3ua().cut(data)
    assert b"".join(messages) + rest == data


TAKES = (_m3ua, lambda data: M3ua().dissect(data, Known()), _cut)
PROOF = Proof(
    {"m3ua": Octets("m3ua/seeds.txt", mutation.mutate, TAKES, 6)},
    lambda: set(m3ua.MessageType),
    lambda: {each.type for each in M3UAS.values()},
)
