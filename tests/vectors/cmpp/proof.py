"""CMPP 2.0, against octets of gocmpp; what these leave, against Wireshark."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import mutation
from vectors import Octets, Proof, in_pieces, load

from simwarden.errors import PeerError
from simwarden.wire import cmpp
from simwarden.wire.stream import Splitter

if TYPE_CHECKING:
    from enum import IntEnum

HERE = Path(__file__).parent


def _cmpp(data: bytes) -> None:
    """Read a message and write what was read; what is wrong has the result that answers it."""
    try:
        message = cmpp.decode(data)
        assert cmpp.decode(cmpp.encode(message)) == message
    except PeerError as error:
        raise told(error, cmpp.Result) from error


def told(error: PeerError, codes: type[IntEnum]) -> PeerError:
    """Return what is wrong, which must have a code of the protocol."""
    assert error.code in set(codes)
    return error


def _masked(data: bytes) -> None:
    masked = cmpp.mask(data)
    assert len(masked) == len(data)
    if cmpp.dissect(data).name in ("cmpp-connect", "cmpp-connect-resp"):
        assert bytes(16) in masked


def _compared() -> set[cmpp.Command]:
    interop = load(HERE.parents[1] / "interop/test_tshark_sms.py")
    return {message.command for _, message in load(HERE / "test_gocmpp.py").VECTORS} | set(interop.CMPP_READ)


TAKES = (
    _cmpp,
    cmpp.dissect,
    _masked,
    in_pieces(partial(Splitter, cmpp.LENGTHS)),
    lambda data: cmpp.decode_report(data[-68:-8]),
)
PROOF = Proof({"cmpp": Octets("cmpp/seeds.txt", mutation.mutate, TAKES, 5)}, lambda: set(cmpp.Command), _compared)
