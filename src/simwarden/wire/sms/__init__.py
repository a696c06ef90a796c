"""TPDUs of short messages (TS 23.040), alphabets and data coding (TS 23.038)."""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.sms.address import Address, decode_rp_address, encode_rp_address
    from simwarden.wire.sms.alphabet import from_septets, in_alphabet, pack, to_septets, unpack
    from simwarden.wire.sms.codec import decode, encode
    from simwarden.wire.sms.coding import (
        UCS2_CODING,
        UserData,
        coding_of,
        encode_user_data,
        octets_for,
        parts_of,
        scheme_for,
        text_of,
    )
    from simwarden.wire.sms.enums import Alphabet, FailureCause, Npi, Status, Ton, ValidityFormat
    from simwarden.wire.sms.header import (
        Concatenation,
        Element,
        Header,
        Ports,
        concatenation_of,
        encode_header,
        ports_of,
        split_header,
    )
    from simwarden.wire.sms.plain import beyond_text
    from simwarden.wire.sms.reading import dissect
    from simwarden.wire.sms.times import Validity, decode_time, encode_time
    from simwarden.wire.sms.tpdu import *

__getattr__ = offer(
    __name__, "codec", "tpdu", "coding", "header", "address", "alphabet", "times", "enums", "plain", "reading"
)
