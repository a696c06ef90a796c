"""SCCP, against pycrate."""

from __future__ import annotations

import mutation
from sigtran_messages import MANAGEMENTS, SCCPS
from vectors import Octets, Proof

from simwarden.errors import PeerError
from simwarden.wire import sccp


def _sccp(data: bytes) -> None:
    message = sccp.decode(data)
    try:
        again = sccp.encode(message)
    except ValueError as error:  # two parts that share octets need more room than they had
        raise PeerError("parts that overlap") from error
    assert sccp.decode(again) == message


def _management(data: bytes) -> None:
    message = sccp.decode_management(data)
    assert sccp.decode_management(sccp.encode_management(message)) == message


PROOF = Proof(
    {"sccp": Octets("sccp/seeds.txt", mutation.mutate, (_sccp, sccp.dissect, _management), 6)},
    lambda: {*sccp.MessageType, *sccp.ManagementType},
    lambda: {each.type for each in SCCPS.values()} | {each.type for each in MANAGEMENTS.values()},
)
