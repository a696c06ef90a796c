"""X2AP between eNBs (TS 36.423): set-up and handover, in the same aligned PER as S1AP."""

# mypy: implicit-reexport
# ruff: noqa: F401

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.x2.codec import Message, decode, encode
    from simwarden.wire.x2.enums import CauseMisc, CauseProtocol, CauseRadioNetwork, CauseTransport
    from simwarden.wire.x2.messages import SPECS
    from simwarden.wire.x2.reading import dissect

__getattr__ = offer(__name__, "codec", "enums", "messages", "reading")
