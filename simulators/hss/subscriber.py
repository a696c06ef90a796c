"""A card as the HSS holds it, and what is pending for MMEs and VLRs of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from simwarden.model.identity import Imei

if TYPE_CHECKING:
    from collections.abc import Mapping

#: what a card is that was terminated; nothing resumes it
ENDED = "ended"
#: the action of a changed area that a card had, which the limit counts
AREA_CHANGE = "area-change"
#: the action of a changed CAMEL subscription that a card had, which the limit counts
CSI_CHANGE = "csi-change"
#: stands for the realm of a VLR, which has none
VLR = "map"
#: what a card has at a VLR once that serves it no more
NO_VLR: Mapping[str, Any] = {"vlr": "", "msc": "", "vlr_imei": "", "camel": {}}
#: the actions of a changed binding that a card had, which the limit counts
BINDING_CHANGES = ("rebind", "unbind")


@dataclass(slots=True, weakref_slot=True)
class Subscriber:
    """One card. `mode` says how it is bound: `given`, `learned`, or not at all; `bound` is empty before a first use.

    `suspended` is `barring`, `withdrawal`, `ended` or empty. `mme` is the Diameter identity of the MME that serves it,
    empty if none does. `attempts` are the MMEs that may have its attach under way: those that have asked about it and
    have not purged it, with their realms. `vectors` are the MMEs that were given authentication vectors of it and have
    not purged it. `functions` are those that it is opened for (`sms data`). `contexts` are the Context-Identifiers that
    its APNs have or had, by name in lower case: none is used again, as an MME would take the APN for the former one.
    `sms_number` is the number of the MME that serves it, where that is registered for its messages; `waiting` says
    which service centres wait for it (message waiting data). `csi` is its CAMEL subscription where it has one of its
    own; `vlr` and `msc` are the numbers of those that serve its calls, empty if none do, `vlr_imei` is the terminal
    that they named, and `camel` what they offer of CAMEL (`phases`, `offered`) and were told (`csis`). Keys are
    hexadecimal and never shown.
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
    attempts: dict[str, str] = field(default_factory=dict)
    vectors: list[str] = field(default_factory=list)
    functions: str = ""
    contexts: dict[str, int] = field(default_factory=dict)
    sms_number: str = ""
    waiting: dict[str, Any] = field(default_factory=dict)
    csi: dict[str, Any] = field(default_factory=dict)
    vlr: str = ""
    msc: str = ""
    vlr_imei: str = ""
    camel: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the card was terminated."""
        return self.suspended == ENDED

    def tell(self) -> dict[str, Any]:
        """Tell what is held of a card; keys are never told."""
        bound, imei = self.bound, self.imei
        return {
            "imsi": self.imsi,
            "card": self.name,
            "iccid": self.iccid,
            "msisdn": self.msisdn,
            "profile": self.profile,
            "functions": self.functions.split(),
            "binding": {"how": self.mode, "imei": Imei(bound).imei if bound else ""} if self.mode else None,
            "suspended": self.suspended,
            "mme": self.mme,
            "sms": {"mme_number": self.sms_number, "waiting": sorted(self.waiting.get("centres", {}))},
            "terminal": Imei(imei).imei if imei else "",
            "csi": self.csi,
            "vlr": self.vlr,
            "subscription": self.subscription,
        }


class Due(enum.StrEnum):
    """What an MME or a VLR has still to be told of a card; the value is the word in the database."""

    WITHDRAWAL = "withdrawal"
    """That its subscription is withdrawn (CLR)."""
    RE_ATTACH = "re-attach"
    """That its device has to attach anew, and is judged then (CLR)."""
    UPDATE = "update"
    """That another node serves it (CLR, CancelLocation)."""
    BARRING = "barring"
    """Whether it is barred (IDR)."""
    SUBSCRIPTION = "subscription"
    """What it may use (IDR, DSR)."""
    CALLS = "calls"
    """A VLR: whether it is barred, and its CSIs (InsertSubscriberData, DeleteSubscriberData)."""


#: what ends all that a card has at its MME
ENDS = (Due.WITHDRAWAL, Due.RE_ATTACH)


class Notice(NamedTuple):
    """Of which card an MME, or a VLR, has to be told what."""

    imsi: str
    host: str
    what: Due
    realm: str

    @property
    def at_vlr(self) -> bool:
        """Whether it is a VLR that has to be told; `host` is its number then."""
        return self.realm == VLR
