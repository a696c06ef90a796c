"""A card as the register holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Subscriber:
    """One card. `mode` says how it is bound: `given`, `learned`, or not at all; `bound` is empty before a first use.

    `suspended` is `barring`, `withdrawal` or empty. `mme` is the Diameter identity of the MME that serves it, empty if
    none does. Keys are hexadecimal and never shown.
    """

    imsi: str
    name: str
    iccid: str
    msisdn: str
    profile: str
    k: str = field(repr=False)
    opc: str = field(repr=False)
    seq: int = 0
    mode: str = ""
    bound: str = ""
    subscription: dict[str, Any] = field(default_factory=dict)
    suspended: str = ""
    why: str = ""
    mme: str = ""
    mme_realm: str = ""
    plmn: str = ""
    imei: str = ""
    purged: bool = False
