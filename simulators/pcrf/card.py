"""A card at the PCRF, and the sessions that PGWs have asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulators.pcrf.config import PcrfData
from simulators.pcrf.qos import UNKNOWN_QOS, SessionQos


@dataclass(frozen=True, slots=True)
class DataCard:
    """A card; `data` None: its data is not directed."""

    imsi: str
    msisdn: str
    data: PcrfData | None = None
    #: what it is for, of the catalogue of uses; empty: nobody has said
    use: str = ""

    @property
    def lists(self) -> PcrfData:
        """What holds for its data."""
        return self.data if self.data is not None else PcrfData()

    def tell(self) -> dict[str, Any]:
        """Tell of it."""
        data = self.data.model_dump(mode="json", exclude={"by"}) if self.data is not None else None
        return {"imsi": self.imsi, "msisdn": self.msisdn, "data": data}


@dataclass(frozen=True, slots=True)
class GxSession:
    """An IP-CAN session, by the Session-Id of its PGW."""

    id: str
    imsi: str
    apn: str
    #: the PGW, its realm, and whether it knows applications by their identifiers (feature ADC)
    host: str
    realm: str
    adc: bool
    #: the PGW's Origin-State-Id as it began: with a greater one it has lost it (RFC 6733 8.16); 0: that was not told
    state_id: int = 0
    #: where the device is, as the PGW told last, and its RAT-Type
    tai: str = ""
    cell: str = ""
    rat: int = 0
    #: names of the rules that the PGW may have, and of those that it could not install
    rules: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    #: entries of the card's lists that this PGW cannot be told
    lacking: tuple[str, ...] = ()
    #: octets that the PGW has reported
    used: int = 0
    #: the QoS that the PGW asks for
    qos: SessionQos = UNKNOWN_QOS
    #: changes of its rules of which the PGW has still to hear
    pending: int = 0

    def tell(self) -> dict[str, Any]:
        """Tell of it."""
        in_force = [each for each in self.rules if each not in self.failed]
        return {
            "id": self.id,
            "imsi": self.imsi,
            "apn": self.apn,
            "pgw": self.host,
            "rules": in_force,
            "not_in_force": sorted({*self.lacking, *self.failed}),
            "tai": self.tai,
            "cell": self.cell,
            "used": self.used,
            "pending": self.pending > 0,
        }
