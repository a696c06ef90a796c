"""A card at the service centre, and with whom it exchanges messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.smsc.config import SmscSms


@dataclass(slots=True)
class CardList:
    """A card and with whom it exchanges messages; None: SMS is off."""

    imsi: str
    msisdn: str
    sms: SmscSms | None = None

    def tell(self) -> dict[str, Any]:
        """Tell of it."""
        sms = self.sms.model_dump(mode="json", exclude={"by"}) if self.sms is not None else None
        return {"imsi": self.imsi, "msisdn": self.msisdn, "sms": sms}
