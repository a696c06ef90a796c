"""The terminal's identity: what it is, and what it tells to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simwarden.wire.nas import IdentityType, MobileIdentity, UeNetworkCapability

if TYPE_CHECKING:
    from simwarden.model.identity import Imei

CAPABILITY = UeNetworkCapability(0xE0, 0x60)
"""EEA0 to 128-EEA2, 128-EIA1 and 128-EIA2, as each UE must have (TS 33.401 5.1.3.2, 5.1.4.2). EIA0 is not offered:
it is for emergency calls alone (5.1.4.1)."""

EXTENDED_TIMERS = 1
"""MS network feature support (TS 24.008 10.5.1.15): periodic updates days apart, as a sleeping meter wants."""


class Terminal(NamedTuple):
    """Whom the terminal really is (`own`), and whom it says it is to the network and to the card."""

    own: Imei
    network: Imei
    card: Imei
    voice: bool = False
    gives_imeisv: bool = True
    gives_imeisv_to_card: bool = True
    short_messages: bool = False

    def identity(self, asked: int) -> MobileIdentity:
        """Return the answer to an IDENTITY REQUEST for an IMEI or IMEISV (TS 24.301 5.4.4.3)."""
        if not self.gives_imeisv:
            return MobileIdentity(IdentityType.NO_IDENTITY, None)
        if asked == IdentityType.IMEISV:
            return MobileIdentity(IdentityType.IMEISV, self.network.imeisv)
        # TS 23.003 6.2.1: the check digit is transmitted as 0.
        return MobileIdentity(IdentityType.IMEI, self.network.key + "0")
