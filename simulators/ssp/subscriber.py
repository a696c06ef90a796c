"""What a VLR knows of a card that it serves (TS 23.008): nothing of it survives a restart (TS 23.007 4.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.ssp.clients.terminal import Terminal
    from simwarden.wire import map as gsm_map

#: telephony, and emergency calls (TS 29.002 17.7.10)
TELEPHONY = b"\x11"
#: the bit of ODB-GeneralData that bars all outgoing calls
_ALL_OUTGOING = 0


@dataclass(slots=True)
class Subscriber:
    """A card that is registered here, or about to be."""

    imsi: str
    imei: str = ""
    msisdn: str = ""
    teleservices: frozenset[bytes] = frozenset()
    barred: frozenset[int] = frozenset()
    withdrawn: bool = False
    o_csi: gsm_map.OCsi | None = None
    vt_csi: gsm_map.TCsi | None = None
    terminal: Terminal | None = field(default=None, repr=False)

    def insert(self, data: gsm_map.InsertSubscriberData) -> None:
        """Take subscriber data (TS 29.002 8.8.1): what is not said stays; CSIs stand in place of all before."""
        if data.msisdn is not None:
            self.msisdn = data.msisdn.digits
        if data.teleservices is not None:
            self.teleservices |= {*data.teleservices}
        if data.subscriber_status is not None:
            self.barred = frozenset()
        if data.odb_data is not None:
            self.barred = frozenset(data.odb_data.general)
        if data.vlr_camel_subscription is not None:
            self.o_csi = data.vlr_camel_subscription.o_csi
            self.vt_csi = data.vlr_camel_subscription.vt_csi

    def delete(self, data: gsm_map.DeleteSubscriberData) -> None:
        """Forget subscriber data (8.8.2)."""
        gone = set(data.specific_csi or ())
        if data.camel_subscription_withdraw or _O_CSI in gone:
            self.o_csi = None
        if data.camel_subscription_withdraw or _VT_CSI in gone:
            self.vt_csi = None

    @property
    def telephony(self) -> bool:
        """Whether calls are provisioned."""
        return TELEPHONY in self.teleservices

    @property
    def outgoing_barred(self) -> bool:
        """Whether the operator has barred its calls."""
        return _ALL_OUTGOING in self.barred

    def tell(self) -> dict[str, Any]:
        """Tell of it."""
        csis = [name for name, csi in (("o-csi", self.o_csi), ("vt-csi", self.vt_csi)) if csi is not None]
        return {"imsi": self.imsi, "imei": self.imei, "msisdn": self.msisdn, "csis": csis}


#: bits of SpecificCSI-Withdraw (17.7.1)
_O_CSI, _VT_CSI = 0, 4
