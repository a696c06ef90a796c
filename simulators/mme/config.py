"""Settings of the MME; `profile.yaml` shows each with its default."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from simwarden.machine.ppsms import PpsmsTimers
from simwarden.model.identity import Plmn, Tai
from simwarden.operations.approval import Approval, ChangeLimit
from simwarden.policy.short_messages import same_party
from simwarden.runtime.declare import PLMN_FORM, CellText, ElementConfig, Model, Names, Seconds
from simwarden.runtime.gtp.config import by_lower_apn
from simwarden.wire.diameter.codes import Feature
from simwarden.wire.nas.enums import EmmCause, EsmCause


def _member(kind: type[EmmCause | EsmCause], value: Any) -> Any:
    """Read a cause by its name or number."""
    text = str(int(value)) if isinstance(value, int) else str(value)
    if text.isdigit():
        return kind(int(text))
    try:
        return kind[text.upper().replace("-", "_").replace(" ", "_")]
    except KeyError:
        raise ValueError(f"{text} is no {kind.__name__}") from None


Emm = Annotated[EmmCause, BeforeValidator(lambda value: _member(EmmCause, value))]
Esm = Annotated[EsmCause, BeforeValidator(lambda value: _member(EsmCause, value))]
#: a timer told to devices: TS 24.008 10.5.7.3 can say at most 31 times 6 minutes
LONGEST_CODED = 11160.0
Coded = Annotated[Seconds, Field(le=LONGEST_CODED)]
#: T3402 of a device that was told nothing (TS 24.301 Table 10.2.1)
DEFAULT_T3402 = 720.0
#: how long such a one leaves an APN alone that it was refused (TS 24.301 6.5.1.4.3)
DEFAULT_T3396 = 720.0
Choice = Literal["admit", "refuse"]
Algorithm = Annotated[int, Field(ge=0, le=7)]
Tac = Annotated[int, Field(ge=0, le=65535)]
#: causes after which a device holds its card invalid until it is switched off (TS 24.301 5.5.1.2.5)
_INVALIDATING = frozenset({2, 3, 6, 7, 8})


def _check_temporary(value: EmmCause) -> EmmCause:
    if value in _INVALIDATING:
        raise ValueError(f"{value.name} invalidates the card, which is as good as before when the decider returns")
    return value


class Causes(Model):
    """What a device is told for each result; a deployment's rows come before the specification's."""

    experimental_results: dict[str, Emm] = Field(default_factory=dict)
    """By Experimental-Result-Code (`5001`), or by it and an Error-Diagnostic (`5004/ODB_ALL_APN`)."""
    result_codes: dict[str, Emm] = Field(default_factory=dict)
    """By Result-Code (`5003`)."""
    unreachable: Annotated[Emm, AfterValidator(_check_temporary)] = EmmCause.NETWORK_FAILURE
    """HSS or EIR cannot be reached, or say nothing of use. Never one that invalidates the card."""
    prohibited_equipment: Emm = EmmCause.ILLEGAL_ME
    """The EIR says that the terminal is prohibited."""
    unknown_equipment: Emm = EmmCause.ILLEGAL_ME
    """The EIR does not know the terminal, and `equipment.unknown` is `refuse`."""
    unidentified_terminal: Emm = EmmCause.ILLEGAL_ME
    """The terminal gave neither IMEISV nor IMEI, and `equipment.unidentified` is `refuse`."""
    subscription_withdrawn: Emm = EmmCause.EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED
    """In the DETACH REQUEST after a Cancel-Location-Request of that type."""
    barred: Emm = EmmCause.ESM_FAILURE
    """Attach under operator determined barring; #19 carries the ESM cause below."""
    barred_esm: Esm = EsmCause.OPERATOR_DETERMINED_BARRING
    """The ESM cause that goes with #19 in `barred`."""
    barred_while_registered: Emm = EmmCause.ESM_FAILURE
    """Tracking area update and service request under barring, and the detach when it begins.

    After #19 the device attaches anew by itself, and is served as soon as it is resumed; #14 has it leave the network.
    TAU and service request have no room for an ESM cause: they are rejected with #10, which leads to an attach.
    """

    outside_cells: Emm = EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA
    """In a cell that is none of the card's. #15 bars its whole tracking area in the device, #19 nothing: README."""
    too_many_stations: Emm = EmmCause.NO_SUITABLE_CELLS_IN_TRACKING_AREA
    """At a base station beyond the number that the card may use."""
    outside_range: Emm = EmmCause.TRACKING_AREA_NOT_ALLOWED
    """Outside the subscription's zone codes, or the card's province; #13 and #15 by roaming agreements."""
    outside_esm: Esm = EsmCause.REQUEST_REJECTED_UNSPECIFIED
    """Goes with #19 where one of the three is that."""
    back_off: dict[Esm, Annotated[Seconds, Field(le=35712000)]] = {  # noqa: RUF012 - pydantic copies it
        EsmCause.USER_AUTHENTICATION_FAILED: DEFAULT_T3396
    }
    """How long a device leaves an APN alone that it is refused with an ESM cause (Back-off timer value, T3396), where
    that is not `t3396`: #29 is what an OCS without units for the card comes to, and a device knows no time of its own
    for it."""


def _check_integrity(value: tuple[int, ...]) -> tuple[int, ...]:
    if not value or any(number not in (1, 2) for number in value):
        raise ValueError("EIA1 and EIA2 are the integrity algorithms supported (EIA0 serves emergency calls only)")
    return value


def _check_ciphering(value: tuple[int, ...]) -> tuple[int, ...]:
    if not value or any(number not in (0, 1, 2) for number in value):
        raise ValueError("EEA0, EEA1 and EEA2 are the ciphering algorithms that are supported")
    return value


class Security(Model):
    """NAS security (TS 33.401 7.2.4)."""

    integrity: Annotated[tuple[Algorithm, ...], AfterValidator(_check_integrity)] = (2, 1)
    """EIA numbers in the order of preference. EIA0 is for emergency calls only and cannot stand here."""
    ciphering: Annotated[tuple[Algorithm, ...], AfterValidator(_check_ciphering)] = (2, 1, 0)
    """EEA numbers in the order of preference."""
    authenticate: Literal["when-needed", "every-attach"] = "when-needed"
    """Whether an attach that a known device's keys protect is authenticated anew."""


class Equipment(Model):
    """How terminals are identified and looked up in the EIR."""

    eir: Annotated[str, Names("element")] = "eir"
    """The EIR's name; `off` leaves S13 out."""
    unreachable: Choice = "refuse"
    """An EIR that cannot be reached or gives no verdict."""
    unknown: Choice = "refuse"
    """Equipment that the EIR does not know (DIAMETER_ERROR_EQUIPMENT_UNKNOWN)."""
    unidentified: Choice = "refuse"
    """A terminal that gives neither IMEISV nor IMEI."""
    verdict_lifetime: Seconds = 3600
    """How long a verdict for (IMSI, IMEISV) holds before the EIR is asked again; 0 asks each time."""
    at_tracking_area_update: bool = True
    """Ask for the IMEISV at each tracking area update, which by itself carries none."""
    at_service_request: bool = True
    """Ask for the IMEISV at each service request."""
    report_change: Literal["update-location", "notify"] = "update-location"
    """Whether a changed IMEISV is reported by ULR, whose answer may refuse it, or by NOR, which a CLR may follow."""


class Gateways(Model):
    """The gateways that sessions are asked for at: elements that are dedicated to IoT."""

    sgw: Annotated[str, Names("sgw")] = "sgw"
    """The SGW's name."""
    pgw: Annotated[str, Names("pgw")] = "pgw"
    """The PGW of all APNs that are not listed below."""
    apns: Annotated[dict[str, Annotated[str, Names("pgw")]], AfterValidator(by_lower_apn)] = Field(default_factory=dict)
    """The PGW of single APNs (`{sos: pgw_emergency}`)."""
    several_per_apn: bool = False
    """Whether a device may have several PDN connections by one APN; else #55."""
    dedicated: tuple[Annotated[str, Names("pgw")], ...] = ("pgw",)
    """The PGWs that are dedicated to IoT: no session is asked for at another one, but for a call for help."""
    t3_response: Annotated[Seconds, Field(gt=0)] = 3
    """T3-RESPONSE: a request is sent again."""
    n3_requests: Annotated[int, Field(ge=1)] = 3
    """N3-REQUESTS: how often a request is sent in all."""
    echo: Annotated[Seconds, Field(ge=60)] = 60
    """Time between echoes to the SGW."""
    check_senders: bool = True
    """Accept messages about a device's sessions only from the addresses of its SGW."""

    def pgw_of(self, name: str) -> str:
        """Return the PGW of an APN."""
        return self.apns.get(name.lower(), self.pgw)


class Emergency(Model):
    """Attach for an emergency call, exempt from what binds card and terminal (TS 23.401 4.3.12)."""

    allowed: Literal["everybody", "authenticated", "nobody"] = "everybody"
    """`everybody` includes terminals without a valid card, served without ciphering and integrity."""
    apn: str = "sos"
    """The APN of emergency bearers."""
    callback: Seconds = 0.0
    """How long the emergency bearer stays after the call, so that the called may call back (TS 23.401 4.3.12)."""


class MmeArea(Model):
    """Where a card may be served, by the MME's own data: S6a carries no cells."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["cells"], "properties": {"cells": {"minItems": 1}}},
                {"required": ["stations"]},
                {"required": ["province"]},
            ]
        }
    )

    by: Literal["mme"] = "mme"
    """Who checks."""
    cells: tuple[CellText, ...] = ()
    """Its cells, as E-CGI (`001-01-0000101`) or by name (`enb/1`); none: any. Network and eNB identity (`001-01-00001`,
    `enb/*`) stand for all cells of a base station."""
    stations: Annotated[int, Field(ge=0)] = 0
    """At most so many different base stations, counted from the first use on; 0: any number."""
    province: str = ""
    """The province that it is for; empty: not restricted by province."""

    @model_validator(mode="after")
    def _restricts(self) -> MmeArea:
        if not (self.cells or self.stations or self.province):
            raise ValueError("give cells, stations or province")
        return self


class AreaChange(Approval, MmeArea):
    """Body of `PUT /cards/{imsi}/area`."""


def _station_range(text: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    if not low.isdecimal() or (dash and not high.isdecimal()) or int(low) > int(high or low):
        raise ValueError(f"{text!r} is no eNB identity (17), and no range of them (1-99)")
    return int(low), int(high or low)


def _check_range(text: str) -> str:
    _station_range(text)
    return text


def _check_centres(value: dict[str, str]) -> dict[str, str]:
    for name, address in value.items():
        if not address.removeprefix("+").isdecimal():
            raise ValueError(f"the address of {name} is a number such as +8613800100500, not {address!r}")
    return value


class Sms(Model):
    """SMS in the MME (TS 23.272 Annex C)."""

    centres: Annotated[dict[str, str], AfterValidator(_check_centres)] = Field(default_factory=dict)
    """The dedicated service centres (elements of type smsc) and their addresses (`{smsc: "+8613800100500"}`); messages
    run by no other. None: SMS is not offered here."""
    number: Annotated[str, Field(pattern=r"^\+?[0-9]{5,15}$")] = "+8613440000001"
    """The MME's own number for messages to devices (MME-Number-for-MT-SMS)."""
    tc1: Annotated[Seconds, Field(gt=0)] = 10
    """TC1*: CP-DATA awaits its CP-ACK, and is sent again twice (TS 24.011 5.3.2.1)."""
    tr1n: Annotated[Seconds, Field(gt=0)] = 40
    """TR1N: a message to a device awaits its answer."""
    tr2n: Annotated[Seconds, Field(gt=0)] = 15
    """TR2N: the service centre answers a device's message."""

    @property
    def timers(self) -> PpsmsTimers:
        """The timers of CP and RP."""
        return PpsmsTimers(self.tc1, self.tr1n, self.tr2n)

    def centre_at(self, address: str) -> str:
        """Return the dedicated centre that has an address, in whatever spelling; else the first one."""
        found = [name for name, own in self.centres.items() if same_party(address, 0, (own,))]
        return (found or list(self.centres))[0]


class Timers(Model):
    """Timers of the network's side (TS 24.301 Table 10.2.2), and how long it waits for HSS and EIR."""

    t3402: Coded = DEFAULT_T3402
    """Told to devices: their pause after five failed attempts. Rejects tell it unless it is 12 min."""
    t3396: Annotated[Seconds, Field(le=35712000)] = DEFAULT_T3396
    """Told likewise to devices whose APN is refused: how long they leave it alone."""
    t3412: Coded = 3240
    """Period of tracking area updates, for devices that support no extended timer."""
    t3412_extended: Annotated[Seconds, Field(le=35712000)] = 1116000
    """The same for devices that support the extended timer (310 h)."""
    t3413: Seconds = 4
    """Paging awaits its answer."""
    t3422: Seconds = 6
    """DETACH REQUEST awaits its answer."""
    t3450: Seconds = 6
    """A new GUTI (in an attach or update accept, or a reallocation) awaits its confirmation."""
    t3460: Seconds = 6
    """AUTHENTICATION REQUEST and SECURITY MODE COMMAND await their answers."""
    t3470: Seconds = 6
    """IDENTITY REQUEST awaits its answer."""
    t3485: Seconds = 8
    """ACTIVATE DEFAULT or DEDICATED EPS BEARER CONTEXT REQUEST awaits its answer, of a device in service."""
    t3486: Seconds = 8
    """MODIFY EPS BEARER CONTEXT REQUEST awaits its answer."""
    t3489: Seconds = 4
    """ESM INFORMATION REQUEST awaits its answer."""
    t3495: Seconds = 8
    """DEACTIVATE EPS BEARER CONTEXT REQUEST awaits its answer."""
    t3346: Coded = 900
    """Back-off that goes with cause #22: the shortest."""
    t3346_spread: Annotated[Seconds, Field(le=5400)] = 900
    """It is longer by up to this, in minutes drawn for each device, so that they do not return at one moment."""
    mobile_reachable_margin: Seconds = 240
    """Beyond T3412, until a silent device no longer counts as reachable."""
    implicit_detach: Seconds = 300
    """After that, until it is detached without being told."""
    purge: Seconds = 604800
    """How long a detached device's context is kept (with its keys) before the HSS hears PUR."""
    diameter: Seconds = 4
    """A request to HSS or EIR awaits its answer: less than T3417 (5 s), so that a device is told that none came."""
    location_report: Seconds = 5
    """An eNB that is asked for the first time where a device is reports it, or counts as one that does not."""
    forwarding: Seconds = 2
    """After a handover the SGW keeps the tunnels by which packets were forwarded."""
    handover: Seconds = 10
    """A handover is prepared, and the device turns up in the target cell."""


def _lower_zones(value: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    for code in value:
        if len(code) != 4 or not set(code) <= set("0123456789abcdefABCDEF"):
            raise ValueError(f"zone code {code!r} must be 4 hexadecimal digits")
    return {code.lower(): areas for code, areas in value.items()}


class MmeConfig(ElementConfig):
    """Settings of an MME."""

    plmn: Annotated[Plmn, WithJsonSchema({"type": "string", "pattern": PLMN_FORM})] = Plmn("001", "01")
    """The network served."""
    mme_group_id: Annotated[int, Field(ge=0, le=65535)] = 32769
    """MME group identity; the same for all MMEs of a pool."""
    mme_code: Annotated[int, Field(ge=0, le=255)] = 1
    """MME code: tells the MMEs of a group apart."""
    enbs: tuple[Annotated[int, Field(ge=0, le=0xFFFFFFF)], ...] = ()
    """Identities of the eNBs that may serve; empty for all."""
    tracking_areas: tuple[Tac, ...] = ()
    """Codes of the tracking areas served; empty for all."""
    tai_lists: tuple[tuple[int, ...], ...] = ()
    """Groups of tracking area codes: within a group a device moves without telling. Others stand alone."""
    hss: Annotated[str, Names("hss")] = "hss"
    """The HSS's name."""
    origin_host: str = ""
    """Diameter identity; by default the element's name in the network's realm."""
    realm: str = ""
    """By default the network's realm (TS 23.003 19.2)."""
    hss_realm: str = ""
    """Destination-Realm of requests; by default the own realm."""
    gateways: Gateways = Gateways()
    reallocate_guti_at_update: bool = True
    """A new GUTI at every tracking area update that is not periodic."""
    supported_features: tuple[Literal["odb-all-apn", "reg-sub"], ...] = ("odb-all-apn", "reg-sub")
    """What it announces on S6a and enforces of a subscription: barring, zone codes; without it, it ignores them."""
    zones: Annotated[dict[str, tuple[Tac, ...]], AfterValidator(_lower_zones)] = Field(default_factory=dict)
    """Codes of the tracking areas that a regional subscription zone code (4 hexadecimal digits) stands for."""
    provinces: dict[str, tuple[Annotated[str, AfterValidator(_check_range)], ...]] = Field(default_factory=dict)
    """eNB identities of each province (`17`, `1-99`); none: the network is within one province."""
    area_data: Annotated[str, Field(pattern=r"^[a-z0-9_-]*$")] = ""
    """Name of the areas and counted base stations that MMEs have in common; empty: each its own. MMEs in processes of
    their own have the same `store` besides."""
    area_changes: ChangeLimit = ChangeLimit()
    """How often the area that a card has may be changed or taken away, or its base stations be counted anew."""
    causes: Causes = Causes()
    security: Security = Security()
    platform: Annotated[str, Names("element")] = "off"
    """The platform that is told when a card leaves its area, and when it is back; `off`: none."""
    equipment: Equipment = Equipment()
    emergency: Emergency = Emergency()
    sms: Sms = Sms()
    timers: Timers = Timers()

    @field_validator("plmn", mode="before")
    @classmethod
    def _plmn(cls, value: Any) -> Any:
        return Plmn.parse(value) if isinstance(value, str) else value

    @property
    def eir(self) -> str:
        """The EIR's name, empty if there is no S13."""
        return "" if self.equipment.eir.lower() in ("", "off", "none") else self.equipment.eir

    def homes(self, station: str) -> list[str]:
        """Return the provinces that have a base station (`Ecgi.station`); another network's is in none."""
        network, _, digits = station.rpartition("-")
        number = int(digits, 16)
        if network != str(self.plmn):
            return []
        return [
            name
            for name, ranges in self.provinces.items()
            if any(low <= number <= high for low, high in map(_station_range, ranges))
        ]

    @property
    def features(self) -> Feature:
        """The features announced (TS 29.272 7.3.10)."""
        return Feature(sum(Feature[name.upper().replace("-", "_")] for name in set(self.supported_features)))

    def tai_list(self, tai: Tai) -> list[Tai]:
        """Return the tracking areas in which a device registered in `tai` may move without telling."""
        for group in self.tai_lists:
            if tai.tac in group:
                return [tai, *(Tai(tai.plmn, tac) for tac in group if tac != tai.tac)][:16]
        return [tai]
