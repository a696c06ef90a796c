"""Diameter: RFC 6733 with its applications (S6a, S13, Gx, Gy), from a dictionary that is data."""

# mypy: implicit-reexport
# ruff: noqa: F401

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.diameter.codec import (
        Splitter,
        decode,
        decode_avps_into,
        decode_header,
        encode,
        mask_keys,
        renumber,
    )
    from simwarden.wire.diameter.codes import Application, ExperimentalResult, ResultCode
    from simwarden.wire.diameter.grammar import check_avps, check_request
    from simwarden.wire.diameter.message import (
        Avps,
        DiameterError,
        Message,
        RawAvp,
        answer_to,
        application_id,
        begin,
        first,
        request,
    )
    from simwarden.wire.diameter.reading import describe, dissect

__getattr__ = offer(__name__, "codec", "codes", "grammar", "message", "reading")
