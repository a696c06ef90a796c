"""CP and RP, against pycrate."""

from __future__ import annotations

from pathlib import Path

import mutation
from vectors import Octets, Proof, load

from simwarden.errors import PeerError
from simwarden.wire import ppsms
from simwarden.wire.family import Known


def _cp(data: bytes) -> None:
    """Read a message as its two layers do, and write what was read; what is wrong has the cause that answers it."""
    try:
        message = ppsms.decode_cp(data)
        assert ppsms.decode_cp(ppsms.encode_cp(message)) == message
        if message.type is ppsms.CpType.CP_DATA:
            inner = ppsms.decode_rp(message.user_data)
            assert ppsms.decode_rp(ppsms.encode_rp(inner)) == inner
    except PeerError as error:
        raise told(error) from error


def told(error: PeerError) -> PeerError:
    """Return what is wrong, which must have a cause of its layer."""
    assert error.code in {*ppsms.CpCause, *ppsms.RpCause}
    return error


def _compared() -> set[tuple[str, int]]:
    module = load(Path(__file__).with_name("test_pycrate.py"))
    return {
        *(("CP", each.type) for _, each in module.CPS.values()),
        *(("RP", each.type) for _, each in module.RPS.values()),
    }


TAKES = (_cp, lambda data: ppsms.dissect(data, Known()))
PROOF = Proof(
    {"ppsms": Octets("ppsms/seeds.txt", mutation.mutate, TAKES, 6)},
    lambda: {*(("CP", each) for each in ppsms.CpType), *(("RP", each) for each in ppsms.RpType)},
    _compared,
)
