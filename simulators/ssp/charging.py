"""Call detail records of an MSC: MOCallRecord and MTCallRecord of TS 32.298 (TS 32.250 for what is in them)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.ssp.numbers import cause_of, international
from simwarden.trace.records import CauseForTerm, ChargingRecord

if TYPE_CHECKING:
    from simulators.ssp.call import Half
    from simwarden.wire.q850 import Cause

#: causes by which a call that was answered has not ended abnormally
_NORMAL = range(16, 32)


def mobile_originated(half: Half, cause: Cause) -> None:
    """Write the record of a call that a terminal made."""
    setup, fields = half.setup, _fields(half, cause)
    fields["calledNumber"] = international(setup.called)
    if half.course.connected_to:
        fields["translatedNumber"] = half.course.connected_to
    if half.course.defaulted:
        fields["defaultCallHandling"] = half.course.defaulted
    fields["basicService"] = "emergencyCalls" if setup.emergency else "telephony"
    _write(half, "MOCallRecord", fields)


def mobile_terminated(half: Half, cause: Cause) -> None:
    """Write the record of a call to a terminal."""
    fields = _fields(half, cause) | {"basicService": "telephony"}
    if half.setup.caller is not None:
        fields["callingNumber"] = half.setup.caller.digits
    _write(half, "MTCallRecord", fields)


def _fields(half: Half, cause: Cause) -> dict[str, Any]:
    course, core = half.course, half.core
    now = core.clock.wall()
    subscriber = core.subscribers.get(half.imsi)
    lasted = (now - course.answered).total_seconds() if course.answered is not None else 0.0
    fields: dict[str, Any] = {
        "recordingEntity": core.number.digits,
        "seizureTime": course.seized,
        "releaseTime": now,
        "callDuration": round(lasted, 1),
        "causeForTerm": _term(half, cause),
        "diagnostics": cause_of(cause),
        "callReference": half.setup.reference.hex(),
        "location": str(core.area),
    }
    told = {
        "servedIMSI": half.imsi,
        "servedMSISDN": half.msisdn,
        "servedIMEI": subscriber.imei if subscriber is not None else "",
        "gsm-SCFAddress": course.scf_address,
        "answerTime": course.answered,
        "serviceKey": course.service_key,
    }
    return fields | {name: value for name, value in told.items() if value not in ("", None)}


def _term(half: Half, cause: Cause) -> CauseForTerm:
    """Return why the record is closed (CauseForTerm)."""
    if half.course.released_by_scf:
        return CauseForTerm.CAMEL_INIT_CALL_RELEASE
    if half.course.answered is None:
        return CauseForTerm.UNSUCCESSFUL_CALL_ATTEMPT
    normal = cause.value in _NORMAL
    return CauseForTerm.NORMAL_RELEASE if normal else CauseForTerm.ABNORMAL_RELEASE


def _write(half: Half, record: str, fields: dict[str, Any]) -> None:
    site = half.core.site
    site.record(ChargingRecord(element=site.name, record=record, fields=fields))
