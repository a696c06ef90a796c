"""TCAP (Q.771 to Q.774): transactions, their dialogue portion, and components."""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.tcap.codec import TcapError, decode, encode
    from simwarden.wire.tcap.components import *
    from simwarden.wire.tcap.dialogue import Aare, Aarq, Abrt, BadDialogue, Context
    from simwarden.wire.tcap.enums import AbortCause, AbortSource, Diagnostic, MessageType, ProblemKind
    from simwarden.wire.tcap.message import Message

__getattr__ = offer(__name__, "codec", "components", "dialogue", "message", "enums")
