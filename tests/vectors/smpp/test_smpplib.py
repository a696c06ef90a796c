"""PDUs as smpplib reads them, by the specification's names, and as it writes them."""

from __future__ import annotations

from typing import Any

import pytest
from smpp_messages import PDUS
from smpplib import smpp as oracle
from smpplib.command import factory
from smpplib.exceptions import UnknownCommandError

from simwarden.wire import smpp

#: what only the header or our own reading of a message has
NOT_THEIRS = {"command_status", "sequence_number", "text", "concatenation", "header", "user_data", "malformed_header"}
#: written by smpplib with what it was given; of others it forgets the zero behind a text, or knows no values
WRITTEN: tuple[str, ...] = (
    "bind_receiver",
    "bind_transmitter",
    "bind_transceiver",
    "submit_sm",
    "submit_sm_resp",
    "deliver_sm_resp",
)
WRITTEN += ("enquire_link", "enquire_link_resp", "unbind", "unbind_resp", "query_sm")


def known(name: str) -> bool:
    try:
        factory(name, sequence=1)
    except UnknownCommandError:
        return False
    return True


READ = {name: pdu for name, pdu in PDUS.items() if known(pdu.command.name.lower())}


def values(pdu: smpp.Pdu) -> dict[str, Any]:
    fields = smpp.dissect(smpp.encode(pdu)).fields
    found = {name: value for name, value in fields.items() if name not in NOT_THEIRS}
    if isinstance(pdu.body, smpp.Bind):
        found["password"] = pdu.body.password
    return found


@pytest.mark.parametrize("pdu", READ.values(), ids=READ)
def test_smpplib_finds_what_we_meant(pdu: smpp.Pdu) -> None:
    theirs = oracle.parse_pdu(smpp.encode(pdu), sequence=0, allow_unknown_opt_params=True)
    assert (theirs.command, theirs.status, theirs.sequence) == (pdu.command.name.lower(), pdu.status, pdu.sequence)
    ours = values(pdu)
    assert {name: plain(getattr(theirs, name)) for name in ours if name in theirs.params} == {
        name: plain(value) for name, value in ours.items() if name in theirs.params
    }
    assert ours.keys() - theirs.params.keys() <= {"ms_availability_status"}


def plain(value: Any) -> Any:
    if value is None:
        return ""  # a text that is not there
    return value.decode("latin-1") if isinstance(value, bytes) else value


@pytest.mark.parametrize("name", WRITTEN)
def test_smpplib_writes_the_same_octets(name: str) -> None:
    pdu = PDUS[name]
    made = oracle.make_pdu(name, sequence=pdu.sequence, **values(pdu))
    made.sequence = pdu.sequence
    assert made.generate() == smpp.encode(pdu)
    assert smpp.decode(made.generate()) == pdu
