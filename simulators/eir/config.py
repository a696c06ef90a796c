"""Settings of the EIR, and what a card says for it. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from simwarden.model.values import KIND
from simwarden.operations.approval import Approval
from simwarden.policy.equipment_lists import EquipmentRange, Status
from simwarden.policy.held import Held
from simwarden.runtime.declare import Model, Names, Seconds, no_entry
from simwarden.runtime.diameter.server import Entry, PeerEntry, ServerConfig
from simwarden.runtime.sigtran.settings import NodeNumber, Nodes, PointCode, Signalling, SignallingPeer


def _ranges(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(EquipmentRange.parse(text)) for text in value)


def _is_kind(text: str) -> bool:
    return text[:1].isalpha() and text.replace("-", "").isalnum()


def _entries(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text if _is_kind(text) else str(EquipmentRange.parse(text)) for text in value)


Entries = Annotated[tuple[str, ...], AfterValidator(_entries)]


def _ssp() -> dict[str, SignallingPeer]:
    return {"ssp": SignallingPeer(number="8613800000008", point_code=8)}


class EirSignalling(Signalling):
    """The EIR in the signalling network, where MSCs ask by MAP (CheckIMEI)."""

    point_code: PointCode = 9
    """Its own point code, 14 bits."""
    number: NodeNumber = "8613800000009"
    """The EIR's number."""
    nodes: Nodes = Field(default_factory=_ssp)
    """MSCs that may ask, by any name."""


class EirConfig(ServerConfig):
    """Settings of an EIR.

    An entry of a list is an IMEI (14 to 16 digits), a TAC (8), a range of TACs (99000201-99000299), or a kind of
    terminal of the library (`phone`). Of several that hold a terminal the narrowest counts, a kind last.
    """

    peers: dict[str, Entry] = Field(default_factory=lambda: {"mme": PeerEntry()})
    """Nodes that may ask, by Diameter identity; a name without a dot is one of the home network's realm."""
    allowed: Entries = ()
    """Entries of the allowed list."""
    prohibited: Entries = ()
    """Entries of the prohibited list."""
    tracked: Entries = ()
    """Entries of the tracking list."""
    unlisted: Status = Status.ALLOWED
    """What is said of all others; `unknown` is answered with Experimental-Result 5422."""
    cmp: Annotated[str, Names("cmp")] = ""
    """A connection-management platform that is asked about each card whose terminal passes here; empty: none."""
    cmp_unreachable: Literal["refuse", "admit"] = "refuse"
    """What becomes of a card while the platform gives no verdict. A refusal is for a time (no verdict)."""
    cmp_answer_time: Seconds = Field(default=3.0, gt=0)
    """How long to wait for the platform's answer; less than who asks here waits."""
    hss: Annotated[str, Names("hss")] = "hss"
    """The HSS that ends what a card has when its pool is another one; `off`: it goes on for as long as
    the MME keeps the verdict."""
    retry: Annotated[Seconds, Field(gt=0)] = 30
    """How long to wait before an HSS that could not be told is told again."""
    signalling: Annotated[EirSignalling | None, BeforeValidator(no_entry)] = None
    """Where it is in the signalling network, and who may ask there. None: only MMEs ask."""
    library: str = ""
    """CSV file of terminals (tac, kind, maker, model) to use instead of the one shipped."""

    @model_validator(mode="after")
    def _kinds_are_known(self) -> EirConfig:
        strange = [] if self.library else [each for each in self.kinds() if each not in KIND.words]
        if strange:
            known = ", ".join(KIND.words)
            raise ValueError(f"{strange[0]!r} is no IMEI, TAC or range of TACs, nor a kind of the library ({known})")
        return self

    def _listed(self) -> list[tuple[str, Status]]:
        lists = ((self.allowed, Status.ALLOWED), (self.prohibited, Status.PROHIBITED), (self.tracked, Status.TRACKED))
        return [(text, status) for texts, status in lists for text in texts]

    def entries(self) -> list[tuple[EquipmentRange, Status]]:
        """Return the entries by number with their lists."""
        return [(EquipmentRange.parse(text), status) for text, status in self._listed() if not _is_kind(text)]

    def kinds(self) -> dict[str, Status]:
        """Return the kinds of terminal that are listed, with their lists."""
        return {text: status for text, status in self._listed() if _is_kind(text)}


class EirBinding(Model):
    """A card tied to a pool of terminals, checked with each ECR that names the card."""

    by: Literal["eir"] = "eir"
    """Who checks."""
    imeis: Annotated[tuple[str, ...], AfterValidator(_ranges)] = ()
    """IMEIs, TACs and ranges of TACs of the pool."""
    kinds: tuple[str, ...] = ()
    """Kinds of terminal of the library (`module`)."""

    @model_validator(mode="after")
    def _some(self) -> EirBinding:
        if not self.imeis and not self.kinds:
            raise ValueError("give imeis or kinds")
        return self

    def held(self) -> Held:
        """Tell `classify` what it binds to: a kind of terminal is any of it, and no binding (guideline 2.1.3)."""
        return Held() if self.kinds else Held(frozenset({"binding"}))


class PoolChange(Approval, EirBinding):
    """Body of `PUT /cards/{imsi}/pool`."""


class ListEntry(Model):
    """Body of `PUT /equipment/{entry}`."""

    status: Status
    reason: str = ""


class LibraryImport(Model):
    """Body of `POST /library`: a CSV with the columns tac, kind, maker, model."""

    csv: str
