"""What a base station sends that no specification asks of it: S1AP messages out of turn, of others, or none at all.

Whether the MME is impressed is seen in its answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from simwarden.runtime.declare import Hexadecimal, Names, VerbModel, verb

if TYPE_CHECKING:
    from simulators.enb.station import Station

#: the SCTP stream of a device's messages (TS 36.412 7); which one it is makes no difference to an MME
_STREAM = 1


class SendS1ap(VerbModel):
    """Send an S1AP message that is not due, or octets that are none."""

    target = "enb"
    enb: Annotated[str, Names("enb")] = "enb"
    """The base station."""
    mme: Annotated[str, Names("mme")] = "mme"
    """To which MME."""
    octets: Hexadecimal
    """The message in hexadecimal, whatever it is (TS 36.413 9.3); blanks may stand between its parts."""


class Misbehaviour:
    """What an honest base station never does."""

    def __init__(self, station: Station) -> None:
        self.station = station

    @verb("sent", "no-connection")
    async def send_s1ap(self, arguments: SendS1ap) -> str:
        """Send octets to an MME as they are: `sent`, or `no-connection` where there is none to it."""
        mme = self.station.mmes.get(arguments.mme)
        if mme is None or mme.link is None:
            return "no-connection"
        mme.link.send(bytes.fromhex(arguments.octets), stream=_STREAM)
        return "sent"
