"""SCCP without connections (Q.711 to Q.714): addresses by point code, subsystem and global title; its management."""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.sccp.address import Address, GlobalTitle
    from simwarden.wire.sccp.codec import Message, Segmentation, decode, encode
    from simwarden.wire.sccp.enums import *
    from simwarden.wire.sccp.management import Management, decode_management, encode_management
    from simwarden.wire.sccp.reading import dissect

__getattr__ = offer(__name__, "codec", "address", "enums", "management", "reading")
