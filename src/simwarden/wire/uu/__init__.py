"""The radio between a device and an eNB: the messages of TS 36.331 in a small binary frame of simwarden's own.

RRC is not modelled bit by bit: what its messages say is kept, under the spec's names, their packed encoding is not. All
numbers are big-endian. A frame is

    octet 0     message type, one of `FrameType`
    octets 1-2  length of the body
    octets 3-   body: the fields of the message's class in their order

and in a body: an identity or counter is 1, 2, 4 or 5 octets, an octet string 2 octets of length and its octets, a
list 1 octet of count and its items, an optional field 1 octet (0 absent, 1 present) and its value, a PLMN the three
octets of TS 24.008 10.5.1.13. A body must be used up exactly.

One link joins a device and an eNB. A device looks for cells with cell-search, which the eNB answers with the
system-information of its cells (in the field: broadcast), and says with camp in which cell it listens, and at which
paging occasions (UE_ID of TS 36.304 7.1), so that paging goes to those who would hear it. A link that closes is a
device out of coverage. A device that is handed over to a cell of another eNB has a link to that one too, completes the
reconfiguration there, and camps there at once, to be paged when its connection is released.
"""

# mypy: implicit-reexport
# ruff: noqa: F401, F403

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.wire.lazily import offer

if TYPE_CHECKING:
    from simwarden.wire.uu.codec import decode, encode, frame_length
    from simwarden.wire.uu.messages import *
    from simwarden.wire.uu.reading import dissect

__getattr__ = offer(__name__, "codec", "messages", "reading")
