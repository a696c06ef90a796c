"""Settings of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from simwarden.model.identity import Imei
from simwarden.runtime.declare import ElementConfig, Model, Names, Seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

TACS = {"module": "99000101", "handset": "99000201"}
"""Invented type allocation codes by type, for terminals whose files give no IMEI."""


def _check_imei(value: str) -> str:
    if value:
        Imei.parse(value)
    return value


def split_cell(name: str) -> tuple[str, int]:
    """Return element and number (from 1) of a cell's name; `enb` alone is its first cell. Raises ValueError."""
    element, slash, number = name.partition("/")
    if not element or (slash and not (number.isdecimal() and int(number) > 0)):
        raise ValueError(f"a cell is named ELEMENT/NUMBER (enb/1), not {name!r}")
    return element, int(number) if slash else 1


def _check_cell(name: str) -> str:
    split_cell(name)
    return name


ImeiText = Annotated[str, AfterValidator(_check_imei)]
CellName = Annotated[str, AfterValidator(_check_cell)]


class Claims(Model):
    """Whom a lying terminal says it is. What is empty is told truthfully."""

    network: ImeiText = ""
    """IMEI (14, 15 or 16 digits) told to the network: a cloned one, mostly."""
    card: ImeiText = ""
    """IMEI told to the card that asks (PROVIDE LOCAL INFORMATION)."""


class DeviceConfig(ElementConfig):
    """A terminal: who it is, what it can do, and where it stands."""

    type: Literal["module", "handset"] = "module"
    """A module sits in a machine and has no voice; a handset is a phone that people call with."""
    imei: ImeiText = ""
    """Its IMEI as 14, 15 (check digit verified) or 16 digits (IMEISV); by default made up."""
    voice: bool | None = None
    """Whether it is voice capable and can make emergency calls; by default a handset is, a module is not."""
    gives_imeisv: bool = True
    """Whether it tells the network its identity when asked; one that does not answers with no identity."""
    gives_imeisv_to_card: bool = True
    """Whether it can tell the card its IMEI and IMEISV (PROVIDE LOCAL INFORMATION)."""
    compares: bool = False
    """Whether it reads the IMEI on the card after each reset of the card, and communicates only if it is its own."""
    claims: Claims = Claims()
    """Whom it says it is, where it lies."""
    slot: Literal["any", "plug-in", "mini", "nano", "odd-shaped", "board"] = "any"
    """What it has for a card."""
    pin: str = ""
    """PIN1 that it enters when the card asks for it."""
    sms: bool = False
    """Whether it registers for short messages: it attaches for EPS and "SMS only" (TS 24.301 5.5.1.3)."""
    sms_room: int = Field(default=10, ge=0)
    """How many messages its memory holds."""
    apn: str = ""
    """APN that it asks for; empty: the subscription's default."""
    pdn_type: Literal["ipv4", "ipv6", "ipv4v6"] = "ipv4"
    """Kind of address that it asks for."""
    msc: Annotated[str, Names("ssp")] = ""
    """The MSC that it registers with, as a terminal of 2G: without LTE, and without a cell between the two yet."""
    on_call: Literal["answer", "ring", "busy", "refuse"] = "answer"
    """What it does when it is called: rings and answers by itself, rings on, or refuses, as busy or outright."""
    answers_after: Annotated[Seconds, Field(ge=0)] = 2
    """How long it rings before it answers by itself."""
    cell: CellName = "enb/1"
    """Where it stands: the cell that it hears best (element, then the cell's number)."""
    hears: tuple[CellName, ...] = ()
    """Other cells that it hears, best first; it turns to them when the first does not serve it."""
    keeps_keys: Literal["at-detach", "always"] = "at-detach"
    """When EFEPSNSC on the card holds keys: from detach to attach as TS 33.401 wants it, or always, as some do."""
    resumes: Literal["no", "tau", "service-request"] = "no"
    """How a rogue terminal takes up the registration that it finds on a card, without attach; `true` means `tau`."""
    honours_rejects: bool = True
    """Whether it keeps to the consequences of reject causes. One that does not wants service for all that: it tries
    again after T3411 for ever, attaches after #9, #10, #40 and when it is detached, keeps GUTI, keys and TAI list over
    rejects, power-off and the removal of the card, and takes up what made-up requests bring it."""
    t3245: bool = False
    """Whether a card held invalid is tried again after 24 to 48 hours (TS 24.301 5.3.7a; NAS configuration)."""
    max_unprotected_rejects: int = Field(default=10, ge=1)
    """How many rejects without integrity protection are forgiven (the maxima of TS 24.301 5.3.7b)."""

    @classmethod
    def identities(cls, given: Mapping[str, Any], number: int) -> Mapping[str, str]:
        """See ElementConfig."""
        imei = given.get("imei") or Imei(TACS.get(str(given.get("type")), TACS["module"]) + f"{number:06d}").imei
        return {"imei": str(imei)}

    @field_validator("resumes", mode="before")
    @classmethod
    def _by_update(cls, value: Any) -> Any:
        return {"true": "tau", "false": "no"}.get(str(value).lower(), value)

    @property
    def voice_capable(self) -> bool:
        """Whether emergency calls can be made with it."""
        return self.type == "handset" if self.voice is None else self.voice
