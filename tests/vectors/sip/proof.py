"""SIP, against Wireshark; SIPp has calls with it (tests/interop)."""

from __future__ import annotations

import mutation
from vectors import FOLDER, Octets, Proof, load

from simwarden.errors import PeerError
from simwarden.wire import sip
from simwarden.wire.sip.reading import Sip


def _sip(data: bytes) -> None:
    """Read a message and write what was read; what is wrong has the status that answers it."""
    try:
        message = sip.decode(data)
    except PeerError as error:
        raise told(error) from error
    again = sip.decode(sip.encode(message))
    assert (again.headers, again.body) == (message.headers, message.body)
    sip.cause_of(message)


def told(error: PeerError) -> PeerError:
    """Return what is wrong, which must have a status of the protocol."""
    assert error.code in set(sip.Status)
    return error


def _compared() -> set[str]:
    shown: set[str] = load(FOLDER.parent / "interop/test_tshark_sip.py").READ
    return shown


PROOF = Proof(
    {"sip": Octets("sip/seeds.txt", mutation.mutate, (_sip, sip.dissect), 5)}, lambda: set(Sip().messages()), _compared
)
