"""Settings of an eNB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.runtime.declare import ElementConfig, Model, Names, PlmnText, Seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class CellConfig(Model):
    """One cell."""

    tac: int = Field(default=1, ge=0, le=0xFFFF)
    """Tracking area code."""
    cell: int | None = Field(default=None, ge=0, le=255)
    """Last 8 bits of the cell identity; by default the cell's number in this list."""
    barred: bool = False
    """Nobody may camp here (cellBarred)."""
    bar_emergency: bool = False
    """Emergency calls are barred (ac-BarringForEmergency)."""
    bar_signalling: bool = False
    """Attach, tracking area update and the like are barred (ac-BarringForMO-Signalling)."""
    bar_data: bool = False
    """Service requests for data are barred (ac-BarringForMO-Data)."""
    ims_emergency: bool = True
    """Devices without service may make emergency calls here (ims-EmergencySupport)."""


class EnbConfig(ElementConfig):
    """An eNB: who it is, its cells, and whom it connects to."""

    enb_id: int = Field(default=0, ge=0, le=0xFFFFF)
    """Macro eNB identity, 20 bits; 0 means the number at the end of its name (`enb2`: 2; without number 1)."""
    plmn: PlmnText = "001-01"
    """The network that its cells broadcast."""
    cells: tuple[CellConfig, ...] = Field(default=(CellConfig(),), min_length=1, max_length=255)
    """Its cells; the first is called NAME/1."""
    mmes: tuple[Annotated[str, Names("mme")], ...] = ("mme",)
    """The MMEs that it sets S1 up with."""
    x2: tuple[Annotated[str, Names("enb")], ...] = ()
    """Neighbouring eNBs that it sets X2 up with; naming it on one of the two is enough. Others are reached by S1."""
    inactivity: Seconds = 10.0
    """Time without traffic after which a device's connection is released; 0: never."""
    radio_timeout: Seconds = Field(default=5.0, gt=0)
    """How long to wait for a device's answer before its connection counts as lost."""
    s1_retry: Seconds = Field(default=5.0, gt=0)
    """Time until S1 is tried again; doubled with each failure, at most 600 s. A TimeToWait of the MME goes first."""
    handover_preparation: Seconds = Field(default=10.0, gt=0)
    """Time for the preparation of a handover (TS1RELOCprep, TRELOCprep)."""
    handover_completion: Seconds = Field(default=10.0, gt=0)
    """Time for the device to turn up in the target cell (TS1RELOCoverall, TX2RELOCoverall)."""
    forwarding: Seconds = Field(default=1.0, gt=0)
    """Time for which packets of the core wait behind those that another eNB forwards, if no End Marker comes."""
    takes_forwarded: bool = True
    """Whether it takes packets that another eNB forwards; else what comes to that one during a handover is lost."""
    location_reports: Literal["sent", "refused", "none"] = "sent"
    """Whether it reports in which cell a device is when the MME orders it (TS 36.413 8.11); `none`: it says nothing."""
    refused_qcis: tuple[int, ...] = ()
    """QCIs of bearers for which it has no room."""
    ciphering: tuple[int, ...] = (2, 1, 0)
    """AS ciphering algorithms (EEA numbers) by preference."""
    integrity: tuple[int, ...] = (2, 1)
    """AS integrity algorithms (EIA numbers) by preference. EIA0 is for unauthenticated emergency calls only."""

    def identity(self, name: str) -> int:
        """Return the eNB identity, for an element of this name."""
        number = re.search(r"\d+$", name)
        return self.enb_id or (int(number.group()) if number else 1)

    def ecgis(self, name: str) -> list[Ecgi]:
        """Return the identities of the cells, in their order, for an element of this name."""
        plmn, station = Plmn.parse(self.plmn), self.identity(name) << 8
        cells = enumerate(self.cells, 1)
        return [Ecgi(plmn, station | (number if each.cell is None else each.cell)) for number, each in cells]

    def parts(self, name: str) -> Mapping[str, str]:
        """See ElementConfig: the E-CGI of each cell, and the base station that they all are of."""
        cells = self.ecgis(name)
        return {**{str(number): str(cell) for number, cell in enumerate(cells, 1)}, "*": cells[0].station}

    def places(self, name: str) -> Collection[str]:
        """See ElementConfig: its cells, itself, and the tracking areas of its cells."""
        tais = {str(Tai(Plmn.parse(self.plmn), each.tac)) for each in self.cells}
        return {*self.parts(name).values(), *tais}
