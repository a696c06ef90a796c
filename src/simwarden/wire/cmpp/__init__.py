"""CMPP 2.0 (China Mobile, April 2002): the messages between a platform and a gateway, and delivery reports."""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.cmpp.codec import LENGTHS, decode, decode_header, decode_report, encode, encode_report
    from simwarden.wire.cmpp.enums import Command, ConnectStatus, Format, Result
    from simwarden.wire.cmpp.messages import *
    from simwarden.wire.cmpp.reading import content_text, dissect, mask

__getattr__ = offer(__name__, "messages", "codec", "enums", "reading")
