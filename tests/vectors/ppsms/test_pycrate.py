"""Each CP and RP message as pycrate reads it: the same octets, and by its names the values that we meant."""

from __future__ import annotations

from typing import Any

import pycrate_mobile.TS24011_PPSMS as pycrate  # noqa: N811 - a module
import pytest
from short_messages import CPS, RPS

from simwarden.wire import ppsms


def read(kind: str, octets: bytes) -> Any:
    message = getattr(pycrate, kind)()
    message.from_bytes(octets)
    assert message.to_bytes() == octets
    return message


@pytest.mark.parametrize(("kind", "message"), [pytest.param(*case, id=name) for name, case in RPS.items()])
def test_pycrate_reads_rp(kind: str, message: ppsms.Rp) -> None:
    octets = ppsms.encode_rp(message)
    assert ppsms.decode_rp(octets) == message
    theirs = read(kind, octets)
    assert theirs["MTI"].get_val() == message.type + (not message.from_mobile)
    assert theirs["Ref"].get_val() == message.reference
    centre = message.originator or message.destination
    if centre is not None:
        name = "RPOriginatorAddress" if message.originator else "RPDestinationAddress"
        assert theirs[name][name]["Num"].decode() == centre.number
        assert theirs["RPUserData"][1].to_bytes() == message.user_data
        assert theirs["RPUserData"][1]._name in ("SMS_SUBMIT", "SMS_DELIVER")
    if message.cause:
        assert theirs["RPCause"]["RPCause"]["Value"].get_val() == message.cause
        assert theirs["RPCause"]["RPCause"]["Diag"].to_bytes() == message.diagnostic


@pytest.mark.parametrize(("kind", "message"), [pytest.param(*case, id=name) for name, case in CPS.items()])
def test_pycrate_reads_cp(kind: str, message: ppsms.Cp) -> None:
    octets = ppsms.encode_cp(message)
    assert ppsms.decode_cp(octets) == message
    header = read(kind, octets)["CPHeader"]
    assert header["Type"].get_val() == message.type
    transaction = header["TIPD"]
    assert (transaction["TIFlag"].get_val(), transaction["TIO"].get_val()) == (message.answering, message.transaction)
