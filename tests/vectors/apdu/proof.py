"""APDUs, against Wireshark (tests/interop/test_tshark_apdu.py has it name each)."""

from __future__ import annotations

import apdu_words
import mutation
from vectors import Octets, Proof, with_suppressed

from simwarden.wire import apdu
from simwarden.wire.apdu import authenticate, cat, contents, fcp


def _response(data: bytes) -> None:
    apdu.dissect(data, is_response=True)


_CONTENTS = (
    contents.EpsLoci,
    contents.EpsNsc,
    contents.AdministrativeData,
    contents.Services,
    contents.SmsParameters,
    contents.Application,
    contents.Bind,
)
_INSIDE = (
    *(each.parse for each in _CONTENTS),
    cat.TerminalProfile.parse,
    cat.ProactiveCommand.parse,
    cat.TerminalResponse.parse,
    fcp.Fcp.parse,
    authenticate.AuthenticateResponse.parse,
    authenticate.parse_challenge,
)


def _inside(data: bytes) -> None:
    """The data of commands and responses, by all that reads such data."""
    for start in (0, 5):
        for parse in _INSIDE:
            with_suppressed(parse, data[start:])
            with_suppressed(parse, data[start:-2])


PROOF = Proof(
    {
        "apdu-command": Octets(
            "apdu/commands.txt", mutation.mutate, (apdu.CommandApdu.parse, apdu.dissect, _inside), 6
        ),
        "apdu-response": Octets(
            "apdu/responses.txt", mutation.mutate, (apdu.ResponseApdu.parse, _response, _inside), 6
        ),
    },
    lambda: set(apdu.Ins),
    lambda: set(apdu_words.VECTORS),
)
