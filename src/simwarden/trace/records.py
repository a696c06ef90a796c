"""Records of what users did with their packets: flow records, and charging records (CDRs) of TS 32.298.

An element that sees user packets emits a `FlowRecord` when a flow ends, and one that charges a `ChargingRecord` when it
closes a CDR. Both are events of the trace; `Records` writes them as lines of JSON. docs/records.md tells each field.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from simwarden.errors import InternalError
from simwarden.model.values import (
    ADDRESS,
    APN,
    IMEI,
    IMSI,
    MSISDN,
    NUMBER,
    PLMN,
    SWITCH,
    TIME,
    USER_ADDRESS,
    Values,
    mapping,
    members,
)
from simwarden.trace.dissect import Dissector
from simwarden.trace.events import Event
from simwarden.trace.jsonl import line_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator


@dataclass(slots=True, kw_only=True)
class FlowRecord(Event):
    """Packets of one 5-tuple of a card, both ways, that a rule let pass or dropped; dates are of the run's calendar."""

    kind: ClassVar[str] = "flow"
    element: str
    subject: str
    apn: str = ""
    protocol: int
    address: str
    port: int = 0
    peer: str
    peer_port: int = 0
    names: tuple[str, ...] = ()
    uplink_packets: int = 0
    uplink_octets: int = 0
    downlink_packets: int = 0
    downlink_octets: int = 0
    dropped_packets: int = 0
    dropped_octets: int = 0
    began: dt.datetime
    ended: dt.datetime
    verdict: str
    rule: str = ""
    end_reason: str = ""


class CauseForRecClosing(enum.IntEnum):
    """Why a record was closed (TS 32.298 5.1.2.2.7)."""

    NORMAL_RELEASE = 0
    PARTIAL_RECORD = 1
    ABNORMAL_RELEASE = 4
    VOLUME_LIMIT = 16
    TIME_LIMIT = 17
    SERVING_NODE_CHANGE = 18
    MAX_CHANGE_COND = 19
    MANAGEMENT_INTERVENTION = 20
    RAT_CHANGE = 22
    MS_TIME_ZONE_CHANGE = 23
    SGW_CHANGE = 25
    APN_AMBR_CHANGE = 26


class CauseForTerm(enum.IntEnum):
    """Why the record of a call was closed (TS 32.298 5.2.2.1, CauseForTerm)."""

    NORMAL_RELEASE = 0
    PARTIAL_RECORD = 1
    UNSUCCESSFUL_CALL_ATTEMPT = 3
    ABNORMAL_RELEASE = 4
    CAMEL_INIT_CALL_RELEASE = 5


_Fields = Mapping[str, Values | None]
#: of a field whose values are those that its coding has (`wire.cdr.VALUES`)
CODED: Final = None


def values_of(fields: _Fields) -> dict[str, Values]:
    """Return what each of some fields may be."""
    from simwarden.wire.cdr import VALUES  # noqa: PLC0415 - few stories ask for them

    return {name: VALUES[name] if values is CODED else values for name, values in fields.items()}


def _party(role: str) -> Values:
    return mapping(lambda: {f"{role}{name}": values for name, values in values_of(MESSAGE_PARTY).items()})


#: the fields of each of `listOfTrafficVolumes` (ChangeOfCharCondition)
VOLUME: Final[_Fields] = {
    "changeCondition": CODED,
    "changeTime": TIME,
    "dataVolumeGPRSUplink": NUMBER,
    "dataVolumeGPRSDownlink": NUMBER,
    "userLocationInformation": CODED,
    "rATType": CODED,
    "chargingID": NUMBER,
}
#: the fields of each of `listOfServiceData` (ChangeOfServiceCondition)
SERVICE: Final[_Fields] = {
    "ratingGroup": NUMBER,
    "datavolumeFBCUplink": NUMBER,
    "datavolumeFBCDownlink": NUMBER,
    "timeOfFirstUsage": TIME,
    "timeOfLastUsage": TIME,
    "timeOfReport": TIME,
    "serviceConditionChange": CODED,
}
_BOTH: Final[_Fields] = {
    "servedIMSI": IMSI,
    "servedIMEI": IMEI,
    "servedMSISDN": MSISDN,
    "chargingID": NUMBER,
    "pDNConnectionChargingID": NUMBER,
    "servingNodeAddress": ADDRESS,
    "servingNodeType": CODED,
    "servingNodePLMNIdentifier": PLMN,
    "accessPointNameNI": APN,
    "apnSelectionMode": CODED,
    "pdpPDNType": CODED,
    "servedPDPPDNAddress": USER_ADDRESS,
    "servedPDPPDNAddressExt": USER_ADDRESS,
    "dynamicAddressFlag": SWITCH,
    "dynamicAddressFlagExt": SWITCH,
    "chargingCharacteristics": CODED,
    "rATType": CODED,
    "mSTimeZone": CODED,
    "userLocationInformation": CODED,
    "recordOpeningTime": TIME,
    "startTime": TIME,
    "stopTime": TIME,
    "duration": NUMBER,
    "causeForRecClosing": members(CauseForRecClosing),
    "diagnostics": CODED,
    "recordSequenceNumber": NUMBER,
    "localSequenceNumber": NUMBER,
    "nodeID": CODED,
    "p-GWPLMNIdentifier": PLMN,
    "listOfTrafficVolumes": mapping(lambda: values_of(VOLUME)),
}
#: the records of gateways, of those in TS 32.298 5.2.2.2, with the fields that they may have
RECORDS: Final[Mapping[str, _Fields]] = {
    "sGWRecord": {**_BOTH, "s-GWAddress": ADDRESS, "p-GWAddressUsed": ADDRESS, "sGWChange": SWITCH},
    "pGWRecord": {
        **_BOTH,
        "p-GWAddress": ADDRESS,
        "pSFurnishChargingInformation": CODED,
        "listOfServiceData": mapping(lambda: values_of(SERVICE)),
    },
}
#: what no record of a bearer can be without
NEEDED: Final = frozenset({"chargingID", "recordOpeningTime", "duration", "causeForRecClosing"})
_MESSAGE: Final[_Fields] = {
    "sMSNodeAddress": CODED,
    "originatorInfo": _party("originator"),
    "recipientInfo": _party("recipient"),
    "eventtimestamp": TIME,
    "sMTotalNumber": NUMBER,
    "sMSequenceNumber": NUMBER,
    "messageSize": NUMBER,
    "sMdeliveryReportRequested": SWITCH,
    "sMDataCodingScheme": CODED,
    "sMMessageType": CODED,
    "sMSResult": CODED,
    "localSequenceNumber": NUMBER,
}
#: the records of service centres, of those in TS 32.298 5.2.4.1 (TS 32.274), with the fields that they may have
MESSAGE_RECORDS: Final[Mapping[str, _Fields]] = {
    "SCSMORecord": {**_MESSAGE, "messageReference": NUMBER},
    "SCSMTRecord": {**_MESSAGE, "submissionTime": TIME, "sMSStatus": CODED, "sMDischargeTime": TIME},
}
#: the fields of `originatorInfo` and `recipientInfo`, without the word in front
MESSAGE_PARTY: Final[_Fields] = {"IMSI": IMSI, "MSISDN": MSISDN, "OtherAddress": CODED}
#: what no record of a message can be without
MESSAGE_NEEDED: Final = frozenset({"sMSNodeAddress", "originatorInfo", "recipientInfo", "eventtimestamp"})
_CALL: Final[_Fields] = {
    "servedIMSI": IMSI,
    "servedIMEI": IMEI,
    "servedMSISDN": MSISDN,
    "recordingEntity": CODED,
    "location": CODED,
    "basicService": CODED,
    "seizureTime": TIME,
    "answerTime": TIME,
    "releaseTime": TIME,
    "callDuration": NUMBER,
    "causeForTerm": members(CauseForTerm),
    "diagnostics": CODED,
    "callReference": CODED,
    "gsm-SCFAddress": CODED,
    "serviceKey": NUMBER,
}
#: the records of MSCs, of those in TS 32.298 5.2.2.1 (TS 32.250), with the fields that they may have
CALL_RECORDS: Final[Mapping[str, _Fields]] = {
    "MOCallRecord": {**_CALL, "calledNumber": CODED, "translatedNumber": CODED, "defaultCallHandling": CODED},
    "MTCallRecord": {**_CALL, "callingNumber": CODED},
}
#: what no record of a call can be without
CALL_NEEDED: Final = frozenset({"recordingEntity", "seizureTime", "callDuration", "causeForTerm", "callReference"})


@dataclass(slots=True, kw_only=True)
class ChargingRecord(Event):
    """A CDR that `element` closed: of `RECORDS`, `MESSAGE_RECORDS` or `CALL_RECORDS`, with its `fields` by TS 32.298.

    Raises InternalError for a type or field that is not there, and without one that a record needs.
    """

    kind: ClassVar[str] = "cdr"
    element: str
    record: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known, needed = fields_of(self.record)
        wrong = [*(self.fields.keys() - known.keys())]
        for name, names in (("listOfTrafficVolumes", VOLUME), ("listOfServiceData", SERVICE)):
            wrong += [found for each in self.fields.get(name, ()) for found in each.keys() - names.keys()]
        if wrong:
            raise InternalError(f"{self.record} has no {', '.join(sorted(wrong))}")
        missing = needed - self.fields.keys()
        if missing:
            raise InternalError(f"{self.record} lacks {', '.join(sorted(missing))}")
        if self.record in RECORDS:
            CauseForRecClosing(self.fields["causeForRecClosing"])


def fields_of(record: str) -> tuple[_Fields, frozenset[str]]:
    """Return the fields that a record may have, and those that it needs. Raises InternalError."""
    kinds = ((RECORDS, NEEDED), (MESSAGE_RECORDS, MESSAGE_NEEDED), (CALL_RECORDS, CALL_NEEDED))
    for records, needed in kinds:
        if record in records:
            return records[record], needed
    raise InternalError(f"no CDR is called {record}")


def record_lines(events: Iterable[Event], **about: Any) -> Iterator[str]:
    """Yield a line of JSON for each flow record and CDR; `about` is put into every one."""
    dissector = Dissector()
    for event in events:
        if isinstance(event, (FlowRecord, ChargingRecord)):
            yield line_of(event, dissector, **about)


def record_octets(events: Iterable[Event]) -> Iterator[bytes]:
    """Yield each CDR of a bearer in BER (TS 32.298 5.2.2.2), as a GPRSRecord."""
    from simwarden.wire import cdr  # noqa: PLC0415 - who reads lines of JSON does not pay for it

    for event in events:
        if isinstance(event, ChargingRecord) and event.record in RECORDS:
            yield cdr.encode(event.record, event.fields)


class Records:
    """A sink that writes a line for each flow record and CDR as it happens, with the date (`at`) of its emission."""

    def __init__(self, write: Callable[[str], object], wall: Callable[[], dt.datetime]) -> None:
        self._write, self._wall = write, wall

    def __call__(self, event: Event) -> None:
        """Take an event of the trace."""
        for line in record_lines((event,), at=self._wall().isoformat(timespec="milliseconds")):
            self._write(f"{line}\n")


class Cdrs:
    """A sink that writes the octets of each CDR as it is closed."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def __call__(self, event: Event) -> None:
        """Take an event of the trace."""
        for octets in record_octets((event,)):
            self._write(octets)
