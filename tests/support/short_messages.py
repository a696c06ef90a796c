"""TPDUs as they come in the field, with the names of pycrate's classes for them, and CP and RP messages about them."""

from __future__ import annotations

import datetime as dt

from simwarden.wire import ppsms, sms

CARD = sms.Address("8614400000017", sms.Ton.INTERNATIONAL, sms.Npi.ISDN)
PLATFORM = sms.Address("10658000123", sms.Ton.NETWORK_SPECIFIC, sms.Npi.PRIVATE)
CENTRE = sms.Address("8613800100500", sms.Ton.INTERNATIONAL, sms.Npi.ISDN)
BEIJING = dt.timezone(dt.timedelta(hours=8))
SENT = dt.datetime(2026, 3, 2, 8, 30, 59, tzinfo=BEIJING)
DONE = dt.datetime(2026, 11, 30, 23, 59, 1, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30)))
PART = sms.Concatenation(0xA7, 3, 2).element
WIDE_PART = sms.Concatenation(0x1234, 2, 1, wide=True).element
PORTS = sms.Ports(2948, 9200).element
SEVEN_BIT = sms.UserData(sms.to_septets("Zähler {17} kostet 5 €"))


def ucs2(text: str, *header: sms.Element) -> sms.UserData:
    return sms.UserData(text.encode("utf-16-be"), header)


#: by name: the class of pycrate, whether the mobile sends it, the TPDU
TPDUS: dict[str, tuple[str, bool, sms.Tpdu]] = {
    "submit": (
        "SMS_SUBMIT",
        True,
        sms.Submit(
            reference=7,
            destination=PLATFORM,
            user_data=SEVEN_BIT,
            validity=sms.Validity.relative(86400),
            status_report_request=True,
            reply_path=True,
        ),
    ),
    "submit, part": (
        "SMS_SUBMIT",
        True,
        sms.Submit(
            reference=255,
            destination=CARD,
            protocol_identifier=0x41,
            data_coding_scheme=8,
            user_data=ucs2("电表读数", PART),
            validity=sms.Validity.absolute(DONE),
            reject_duplicates=True,
        ),
    ),
    "submit, part in 7 bits": (
        "SMS_SUBMIT",
        True,
        sms.Submit(
            reference=1,
            destination=CARD,
            user_data=sms.UserData(sms.to_septets("x" * 152), (WIDE_PART,)),
            validity=sms.Validity(sms.ValidityFormat.ENHANCED, bytes.fromhex("02780000000000")),
        ),
    ),
    "submit, binary": (
        "SMS_SUBMIT",
        True,
        sms.Submit(
            reference=2,
            destination=sms.Address("*#12abc", sms.Ton.UNKNOWN, sms.Npi.UNKNOWN),
            data_coding_scheme=0xF6,
            user_data=sms.UserData(bytes(range(133)), (PORTS,)),
        ),
    ),
    "deliver": (
        "SMS_DELIVER",
        False,
        sms.Deliver(originator=PLATFORM, time_stamp=SENT, user_data=SEVEN_BIT, more_messages=True),
    ),
    "deliver, alphanumeric": (
        "SMS_DELIVER",
        False,
        sms.Deliver(
            originator=sms.Address("METER 1", sms.Ton.ALPHANUMERIC, sms.Npi.UNKNOWN),
            time_stamp=DONE,
            data_coding_scheme=0x18,
            user_data=ucs2("早上好", PART, PORTS),
            loop_prevention=True,
            status_report_indication=True,
            reply_path=True,
        ),
    ),
    "deliver, nothing": ("SMS_DELIVER", False, sms.Deliver(originator=CARD, time_stamp=SENT)),
    "deliver, to the SIM": (
        "SMS_DELIVER",
        False,
        sms.Deliver(
            originator=PLATFORM,
            time_stamp=SENT,
            protocol_identifier=0x7F,
            data_coding_scheme=0xF6,
            user_data=sms.UserData(bytes.fromhex("0015"), (sms.Element(0x70, b""),)),
        ),
    ),
    "status report": (
        "SMS_STATUS_REPORT",
        False,
        sms.StatusReport(reference=7, recipient=PLATFORM, time_stamp=SENT, discharge_time=DONE, status=0x46),
    ),
    "status report, more": (
        "SMS_STATUS_REPORT",
        False,
        sms.StatusReport(
            reference=7,
            recipient=CARD,
            time_stamp=SENT,
            discharge_time=SENT,
            status=0,
            more_messages=True,
            loop_prevention=True,
            of_command=True,
        ),
    ),
    "command": (
        "SMS_COMMAND",
        True,
        sms.Command(reference=3, command_type=2, message_number=7, destination=PLATFORM, status_report_request=True),
    ),
    "deliver report": ("SMS_DELIVER_REPORT_RP_ACK", True, sms.DeliverReport()),
    "deliver report, data": (
        "SMS_DELIVER_REPORT_RP_ACK",
        True,
        sms.DeliverReport(protocol_identifier=0x7F, data_coding_scheme=0xF6, user_data=sms.UserData(b"\x90\x00")),
    ),
    "deliver report, memory": ("SMS_DELIVER_REPORT_RP_ERROR", True, sms.DeliverReport(failure_cause=0xD3)),
    "submit report": ("SMS_SUBMIT_REPORT_RP_ACK", False, sms.SubmitReport(time_stamp=SENT)),
    "submit report, barred": (
        "SMS_SUBMIT_REPORT_RP_ERROR",
        False,
        sms.SubmitReport(time_stamp=SENT, failure_cause=0xC4, protocol_identifier=0),
    ),
}


def tpdu(name: str) -> bytes:
    return sms.encode(TPDUS[name][2])


#: by name: the class of pycrate, the RP message
RPS: dict[str, tuple[str, ppsms.Rp]] = {
    "data, up": ("RP_DATA_MO", ppsms.Rp(ppsms.RpType.RP_DATA, 5, True, destination=CENTRE, user_data=tpdu("submit"))),
    "data, down": ("RP_DATA_MT", ppsms.Rp(ppsms.RpType.RP_DATA, 6, False, CENTRE, user_data=tpdu("deliver"))),
    "ack, up": ("RP_ACK_MO", ppsms.Rp(ppsms.RpType.RP_ACK, 6, True, user_data=tpdu("deliver report"))),
    "ack, down": ("RP_ACK_MT", ppsms.Rp(ppsms.RpType.RP_ACK, 5, False)),
    "error, up": (
        "RP_ERROR_MO",
        ppsms.Rp(ppsms.RpType.RP_ERROR, 6, True, user_data=tpdu("deliver report, memory"), cause=22),
    ),
    "error, down": ("RP_ERROR_MT", ppsms.Rp(ppsms.RpType.RP_ERROR, 5, False, cause=21, diagnostic=b"\x01")),
    "smma": ("RP_SMMA", ppsms.Rp(ppsms.RpType.RP_SMMA, 7, True)),
}
#: by name: the class of pycrate, the CP message
CPS: dict[str, tuple[str, ppsms.Cp]] = {
    **{
        f"data, {name}": ("CP_DATA", ppsms.Cp(ppsms.CpType.CP_DATA, 3, not rp.from_mobile, ppsms.encode_rp(rp)))
        for name, (_, rp) in RPS.items()
    },
    "ack": ("CP_ACK", ppsms.Cp(ppsms.CpType.CP_ACK, 3, answering=True)),
    "error": ("CP_ERROR", ppsms.Cp(ppsms.CpType.CP_ERROR, 0, cause=81)),
}
