"""The radio: a frame of ours."""

from __future__ import annotations

import mutation
from vectors import Octets, Proof

from simwarden.wire import nas, uu


def _with_nas(data: bytes) -> None:
    uu.dissect(data, nas.dissect)


PROOF = Proof(
    {"uu": Octets("uu/seeds.txt", mutation.uu, (uu.decode, _with_nas), 8)},
    lambda: {message.name for message in uu.MESSAGES.values()},
    alone="a frame of our own, which nobody else speaks",
)
