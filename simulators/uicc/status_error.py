"""How a part of the card ends a command early: with a status word."""

from __future__ import annotations

from simwarden.errors import PeerError
from simwarden.wire.apdu.status import explain


class StatusError(PeerError):
    """The command cannot be carried out; the card answers `code`."""

    def __init__(self, sw: int) -> None:
        super().__init__(explain(sw), code=sw)
