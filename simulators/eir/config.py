"""Settings of the EIR, and what a card says for it. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from simwarden.model.identity import Plmn
from simwarden.policy.equipment_lists import EquipmentRange, Status
from simwarden.runtime.declare import ElementConfig, Model


class PeerEntry(Model):
    """A node that may ask."""

    realm: str = ""
    """Its Diameter realm; by default what follows the first label of its name."""


def _entry(value: object) -> object:
    return {} if value == "" else value


Entry = Annotated[PeerEntry, BeforeValidator(_entry)]


def _ranges(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(EquipmentRange.parse(text)) for text in value)


class EirConfig(ElementConfig):
    """Settings of an EIR. An entry is an IMEI (14 to 16 digits), a TAC (8) or a range of TACs (99000201-99000299)."""

    plmn: str = "001-01"
    """Home network."""
    host: str = ""
    """Origin-Host; by default the element's name in the home network's realm (TS 23.003 19.2)."""
    realm: str = ""
    """Origin-Realm; by default the home network's."""
    address: str = "127.0.0.1"
    """Host-IP-Address told to peers."""
    peers: dict[str, Entry] = Field(default_factory=lambda: {"mme": PeerEntry()})
    """Nodes that may ask, by Diameter identity; a name without a dot is one of the home network's realm."""
    allowed: tuple[str, ...] = ()
    """Entries of the allowed list."""
    prohibited: tuple[str, ...] = ()
    """Entries of the prohibited list."""
    tracked: tuple[str, ...] = ()
    """Entries of the tracking list."""
    kinds: dict[str, Status] = Field(default_factory=dict)
    """What is said of terminals of a kind of the library that no entry holds (`phone: prohibited`)."""
    unlisted: Status = Status.ALLOWED
    """What is said of all others; `unknown` is answered with Experimental-Result 5422."""
    library: str = ""
    """CSV file of terminals (tac, kind, maker, model) to use instead of the one shipped."""

    @field_validator("plmn")
    @classmethod
    def _is_plmn(cls, value: str) -> str:
        return str(Plmn.parse(value))

    @field_validator("allowed", "prohibited", "tracked")
    @classmethod
    def _are_entries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _ranges(value)

    def entries(self) -> list[tuple[EquipmentRange, Status]]:
        """Return all entries with their lists."""
        lists = ((self.allowed, Status.ALLOWED), (self.prohibited, Status.PROHIBITED), (self.tracked, Status.TRACKED))
        return [(EquipmentRange.parse(text), status) for texts, status in lists for text in texts]


class EirBinding(Model):
    """A card tied to a pool of terminals, checked with each ECR that names the card."""

    by: Literal["eir"] = "eir"
    """Who checks."""
    imeis: tuple[str, ...] = ()
    """IMEIs, TACs and ranges of TACs of the pool."""
    kinds: tuple[str, ...] = ()
    """Kinds of terminal of the library (`module`)."""

    @field_validator("imeis")
    @classmethod
    def _are_entries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _ranges(value)

    @model_validator(mode="after")
    def _some(self) -> EirBinding:
        if not self.imeis and not self.kinds:
            raise ValueError("give imeis or kinds")
        return self


class ListEntry(Model):
    """Body of `PUT /equipment/{entry}`."""

    status: Status
    reason: str = ""


class LibraryImport(Model):
    """Body of `POST /library`: a CSV with the columns tac, kind, maker, model."""

    csv: str
