"""Data coding schemes (TS 23.038 4), and user data with their header (TS 23.040 9.2.3.24)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from simwarden.errors import PeerError
from simwarden.wire.sms.alphabet import from_septets, in_alphabet, pack, to_septets, unpack
from simwarden.wire.sms.enums import Alphabet
from simwarden.wire.sms.header import Header, encode_header, split_header

if TYPE_CHECKING:
    from collections.abc import Sequence

#: octets of user data in a TPDU (9.2.3.16)
LONGEST: Final = 140
UCS2_CODING: Final = 8


class Coding(NamedTuple):
    """What a TP-DCS says."""

    alphabet: Alphabet
    message_class: int | None = None
    compressed: bool = False


def coding_of(scheme: int) -> Coding:
    """Return what a TP-DCS says; reserved groups are the default alphabet, as receivers shall take them."""
    group = scheme >> 4
    if group < 8:  # general data coding, and the same marked for automatic deletion
        alphabet = (Alphabet.GSM_7_BIT, Alphabet.OCTETS, Alphabet.UCS2, Alphabet.GSM_7_BIT)[scheme >> 2 & 3]
        compressed = bool(scheme & 0x20)
        return Coding(Alphabet.OCTETS if compressed else alphabet, scheme & 3 if scheme & 0x10 else None, compressed)
    if group == 14:  # message waiting, store, UCS2
        return Coding(Alphabet.UCS2)
    if group == 15:  # data coding and message class
        return Coding(Alphabet.OCTETS if scheme & 4 else Alphabet.GSM_7_BIT, scheme & 3)
    return Coding(Alphabet.GSM_7_BIT)


@dataclass(frozen=True, slots=True)
class UserData:
    """User data: the header's elements, and behind them octets; of the 7 bit alphabet a septet an octet."""

    octets: bytes = b""
    header: Header = ()

    def text(self, scheme: int) -> str:
        """Return what it says, by its data coding scheme; empty for binary data."""
        return text_of(self.octets, coding_of(scheme).alphabet)


def text_of(octets: bytes, alphabet: Alphabet) -> str:
    """Return the text of octets; UCS2 as UTF-16, which all terminals take it for, with marks for what is wrong."""
    if alphabet is Alphabet.OCTETS:
        return ""
    return from_septets(octets) if alphabet is Alphabet.GSM_7_BIT else octets.decode("utf-16-be", "replace")


def encode_user_data(data: UserData, scheme: int) -> bytes:
    """Return TP-UDL and TP-UD. Raises ValueError for more than a TPDU holds."""
    header = encode_header(data.header)
    if coding_of(scheme).alphabet is Alphabet.GSM_7_BIT:
        before = (len(header) * 8 + 6) // 7
        length = before + len(data.octets)
        octets = header + pack(data.octets, before * 7 - len(header) * 8)
    else:
        octets = header + data.octets
        length = len(octets)
    if len(octets) > LONGEST:
        raise ValueError(f"{len(octets)} octets of user data, and a TPDU holds {LONGEST}")
    return bytes((length,)) + octets


def decode_user_data(data: bytes, scheme: int, *, with_header: bool) -> UserData:
    """Read TP-UDL and TP-UD, which must end the data. Raises PeerError."""
    if not data:
        raise PeerError("a TPDU without TP-UDL")
    length, octets = data[0], data[1:]
    packed = coding_of(scheme).alphabet is Alphabet.GSM_7_BIT
    if len(octets) != ((length * 7 + 7) // 8 if packed else length) or len(octets) > LONGEST:
        raise PeerError(f"TP-UDL {length} with {len(octets)} octets of user data")
    header, rest = split_header(octets) if with_header else ((), octets)
    if not packed:
        return UserData(rest, header)
    before = len(octets) - len(rest)
    skipped = (before * 8 + 6) // 7
    if skipped > length:
        raise PeerError("a user data header that is longer than the user data")
    return UserData(unpack(rest, length - skipped, skipped * 7 - before * 8), header)


def scheme_for(text: str) -> int:
    """Return the data coding scheme that a text needs: the default alphabet, else UCS2."""
    return 0 if in_alphabet(text) else UCS2_CODING


def octets_for(text: str, scheme: int) -> bytes:
    """Return a text's user data. Raises ValueError for a character that the scheme has not."""
    alphabet = coding_of(scheme).alphabet
    return to_septets(text) if alphabet is Alphabet.GSM_7_BIT else text.encode("utf-16-be")


def parts_of(octets: bytes, scheme: int, header_length: int) -> Sequence[bytes]:
    """Cut user data into parts that each fit into a TPDU behind a header; neither escapes nor surrogates are cut."""
    alphabet = coding_of(scheme).alphabet
    room = LONGEST - header_length
    most = room * 8 // 7 if alphabet is Alphabet.GSM_7_BIT else room & ~1 if alphabet is Alphabet.UCS2 else room
    found, at = [], 0
    while at < len(octets):
        end = min(at + most, len(octets))
        if end < len(octets):
            end -= _pulled_back(octets, end, alphabet)
        found.append(octets[at:end])
        at = end
    return found or [b""]


def _pulled_back(octets: bytes, end: int, alphabet: Alphabet) -> int:
    """Return by how many octets a cut moves back, so that what belongs together stays together."""
    if alphabet is Alphabet.GSM_7_BIT:
        return 1 if octets[end - 1] == 0x1B else 0
    return 2 if alphabet is Alphabet.UCS2 and 0xD8 <= octets[end - 2] <= 0xDB else 0
