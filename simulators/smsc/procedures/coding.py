"""From TPDU to SMPP and back: numbers, data coding, user data (SMPP 3.4 5.2.12, 5.2.19; TS 23.040)."""

from __future__ import annotations

from typing import Final, NamedTuple

from simwarden.policy.numbers import TypeOfNumber, international
from simwarden.wire import smpp
from simwarden.wire.sms import Address, UserData, coding_of, octets_for, scheme_for, split_header, text_of

#: data_coding of texts that a TPDU has no scheme for: ASCII and Latin 1
_LATIN: Final = frozenset({1, 3})
#: values that SMPP and TS 23.038 share: default alphabet, 8 bit, UCS2
_SHARED: Final = frozenset({0, 4, 8})


class Content(NamedTuple):
    """What a message says: its scheme, and its user data."""

    data_coding: int
    user_data: UserData


def content_of(asked: smpp.Pdu, data_coding: int) -> Content:
    """Return data coding and user data of a submit_sm. Raises ValueError if no TPDU can carry them.

    Raises PeerError if it is malformed or not offered; the error's code, if any, is the command_status.
    """
    octets, has_header = smpp.read_user_data(asked)
    header, rest = split_header(octets) if has_header else ((), octets)
    scheme = data_coding
    if scheme in _LATIN:
        text = rest.decode("latin-1")
        scheme = scheme_for(text)
        rest = octets_for(text, scheme)
    elif scheme == 2:  # octets
        scheme = 4
    elif scheme not in _SHARED and scheme >> 4 not in smpp.CLASS_GROUPS:
        raise ValueError(f"data_coding {scheme:#04x} has no equal in TS 23.038")
    return Content(scheme, UserData(rest, header))


def address_of(number: smpp.Address) -> Address:
    """Return a number of SMPP as a TPDU has it; a text has the plan 0 (TS 23.040 9.1.2.5)."""
    return Address(number.number.removeprefix("+"), number.ton & 7, number.npi & 15)


def number_of(msisdn: str) -> smpp.Address:
    """Return a card's number as SMPP has it: international, with its country code."""
    return smpp.Address(international(msisdn), TypeOfNumber.INTERNATIONAL, 1)


def shown(data_coding: int, octets: bytes) -> str:
    """Return the text of a message, as receipts repeat its beginning."""
    return text_of(octets, coding_of(data_coding).alphabet)
