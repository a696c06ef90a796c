"""SMPP 3.4 (issue 1.2, 12 October 1999): all PDUs, optional parameters, delivery receipts."""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.smpp.codec import LENGTHS, decode, decode_header, encode
    from simwarden.wire.smpp.enums import Command, MessageState, Npi, Status, Tag, Ton
    from simwarden.wire.smpp.pdus import *
    from simwarden.wire.smpp.reading import CLASS_GROUPS, alphabet_of, dissect, mask, message_text
    from simwarden.wire.smpp.receipt import STATES, Receipt, format_time, parse_receipt, parse_time
    from simwarden.wire.smpp.submit import read_times, read_user_data

__getattr__ = offer(__name__, "pdus", "codec", "enums", "receipt", "reading", "submit")
