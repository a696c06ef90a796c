"""SMPP, against smpplib; what that cannot say, against Wireshark."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import mutation
from vectors import Octets, Proof, in_pieces, load

from simwarden.errors import PeerError
from simwarden.wire import smpp
from simwarden.wire.stream import Splitter

if TYPE_CHECKING:
    from enum import IntEnum

HERE = Path(__file__).parent
NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def _smpp(data: bytes) -> None:
    """Read a PDU and write what was read; what is wrong has the status that answers it."""
    try:
        pdu = smpp.decode(data)
        assert smpp.decode(smpp.encode(pdu)) == pdu
    except PeerError as error:
        raise told(error, smpp.Status) from error


def told(error: PeerError, codes: type[IntEnum]) -> PeerError:
    """Return what is wrong, which must have a code of the protocol."""
    assert error.code in set(codes)
    return error


def _masked(data: bytes) -> None:
    masked, pdu = smpp.mask(data), smpp.decode(data)
    assert len(masked) == len(data)
    if isinstance(pdu.body, (smpp.Bind, smpp.Outbind)):
        assert set(smpp.decode(masked).body.password) <= {"*"}  # type: ignore[union-attr]


def _receipt(data: bytes) -> None:
    receipt = smpp.parse_receipt(data.decode("latin-1"))
    assert smpp.parse_receipt(str(receipt)).message_id == receipt.message_id


def _time(data: bytes) -> None:
    try:
        smpp.parse_time(data[-17:-1].decode("latin-1"), NOW)
    except (ValueError, OverflowError) as error:
        raise PeerError("no time") from error


def _compared() -> set[smpp.Command]:
    interop = load(HERE.parents[1] / "interop/test_tshark_sms.py")
    return {pdu.command for pdu in load(HERE / "test_smpplib.py").READ.values()} | set(interop.SMPP_READ)


TAKES = (_smpp, smpp.dissect, _masked, in_pieces(partial(Splitter, smpp.LENGTHS)), _receipt, _time)
PROOF = Proof({"smpp": Octets("smpp/seeds.txt", mutation.mutate, TAKES, 8)}, lambda: set(smpp.Command), _compared)
