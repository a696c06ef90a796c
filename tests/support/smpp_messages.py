"""PDUs of SMPP and messages of CMPP as they come in the field, one or more of each command."""

from __future__ import annotations

from simwarden.wire import cmpp, smpp, sms
from simwarden.wire.smpp import Address, Command, Parameter, Pdu, Tag

CARD = Address("8614400000017", smpp.Ton.INTERNATIONAL, smpp.Npi.ISDN)
CODE = Address("10658000123", smpp.Ton.NETWORK_SPECIFIC, smpp.Npi.PRIVATE)
BIND = smpp.Bind("meters", "s3cret", "IoT", addr_ton=3, addr_npi=9, address_range="10658000123")
PART = sms.encode_header([sms.Concatenation(7, 2, 1).element]) + "电表".encode("utf-16-be")
MESSAGE = smpp.ShortMessage(
    "CMT",
    CODE,
    CARD,
    esm_class=smpp.UDHI,
    priority_flag=1,
    schedule_delivery_time="260302083059000+",
    validity_period="000002000000000R",
    registered_delivery=smpp.RECEIPT_ALWAYS,
    data_coding=8,
    short_message=PART,
)
RECEIPT_TEXT = (
    b"id:0000000001 sub:001 dlvrd:001 submit date:2603020830 done date:2603020831 stat:DELIVRD err:000 text:hello"
)
RECEIPT = smpp.ShortMessage(source=CARD, destination=CODE, esm_class=smpp.RECEIPT, short_message=RECEIPT_TEXT)
REFERENCES = (
    Parameter(Tag.RECEIPTED_MESSAGE_ID, b"0000000001\0"),
    Parameter(Tag.MESSAGE_STATE, b"\x02"),
    Parameter(Tag.NETWORK_ERROR_CODE, b"\x03\x00\x00"),
    Parameter(Tag.USER_MESSAGE_REFERENCE, b"\x00\x07"),
)
VERSION = Parameter(Tag.SC_INTERFACE_VERSION, b"\x34")
PAYLOAD = Parameter(Tag.MESSAGE_PAYLOAD, b"hello" * 60)

#: by name
PDUS: dict[str, Pdu] = {
    "bind_receiver": Pdu(Command.BIND_RECEIVER, 1, body=BIND),
    "bind_transmitter": Pdu(Command.BIND_TRANSMITTER, 1, body=BIND),
    "bind_transceiver": Pdu(Command.BIND_TRANSCEIVER, 1, body=BIND),
    "bind_receiver_resp": Pdu(Command.BIND_RECEIVER_RESP, 1, body=smpp.Bound("SMSC"), parameters=(VERSION,)),
    "bind_transmitter_resp": Pdu(Command.BIND_TRANSMITTER_RESP, 1, body=smpp.Bound("SMSC"), parameters=(VERSION,)),
    "bind_transceiver_resp": Pdu(Command.BIND_TRANSCEIVER_RESP, 1, body=smpp.Bound("SMSC"), parameters=(VERSION,)),
    "bind refused": Pdu(Command.BIND_TRANSCEIVER_RESP, 1, smpp.Status.ESME_RINVPASWD),
    "outbind": Pdu(Command.OUTBIND, 1, body=smpp.Outbind("SMSC", "other")),
    "unbind": Pdu(Command.UNBIND, 2),
    "unbind_resp": Pdu(Command.UNBIND_RESP, 2),
    "submit_sm": Pdu(Command.SUBMIT_SM, 3, body=MESSAGE),
    "submit_sm, payload": Pdu(
        Command.SUBMIT_SM,
        4,
        body=smpp.ShortMessage(source=Address("Meters", 5, 0), destination=CARD),
        parameters=(PAYLOAD, Parameter(Tag.USER_MESSAGE_REFERENCE, b"\x00\x07")),
    ),
    "submit_sm_resp": Pdu(Command.SUBMIT_SM_RESP, 3, body=smpp.MessageId("0000000001")),
    "submit_sm refused": Pdu(Command.SUBMIT_SM_RESP, 3, smpp.Status.ESME_RTHROTTLED),
    "submit_multi": Pdu(
        Command.SUBMIT_MULTI,
        5,
        body=smpp.SubmitMulti(source=CODE, destinations=(CARD, "friends"), short_message=b"to all"),
    ),
    "submit_multi_resp": Pdu(
        Command.SUBMIT_MULTI_RESP,
        5,
        body=smpp.SubmittedMulti("0000000002", (smpp.Unsuccessful(CARD, smpp.Status.ESME_RINVDSTADR),)),
    ),
    "deliver_sm": Pdu(Command.DELIVER_SM, 6, body=RECEIPT, parameters=REFERENCES),
    "deliver_sm_resp": Pdu(Command.DELIVER_SM_RESP, 6, body=smpp.MessageId()),
    "data_sm": Pdu(Command.DATA_SM, 7, body=smpp.DataSm("", CODE, CARD, 0, 1, 0), parameters=(PAYLOAD,)),
    "data_sm_resp": Pdu(Command.DATA_SM_RESP, 7, body=smpp.MessageId("0000000003")),
    "query_sm": Pdu(Command.QUERY_SM, 8, body=smpp.Query("0000000001", CODE)),
    "query_sm_resp": Pdu(
        Command.QUERY_SM_RESP, 8, body=smpp.Queried("0000000001", "260302083100000+", smpp.MessageState.DELIVERED, 0)
    ),
    "cancel_sm": Pdu(Command.CANCEL_SM, 9, body=smpp.Cancel("", "0000000001", CODE, CARD)),
    "cancel_sm_resp": Pdu(Command.CANCEL_SM_RESP, 9),
    "replace_sm": Pdu(
        Command.REPLACE_SM, 10, body=smpp.Replace("0000000001", CODE, "", "000001000000000R", 1, 0, b"other text")
    ),
    "replace_sm_resp": Pdu(Command.REPLACE_SM_RESP, 10),
    "enquire_link": Pdu(Command.ENQUIRE_LINK, 11),
    "enquire_link_resp": Pdu(Command.ENQUIRE_LINK_RESP, 11),
    "alert_notification": Pdu(
        Command.ALERT_NOTIFICATION, 12, body=smpp.Alert(CARD, CODE), parameters=(Parameter(0x0422, b"\0"),)
    ),
    "generic_nack": Pdu(Command.GENERIC_NACK, 0, smpp.Status.ESME_RINVCMDID),
}

ID = int(cmpp.MessageId(3, 2, 8, 30, 59, 4711, 65535))
SUBMIT = cmpp.Submit(
    msg_id=ID,
    registered_delivery=1,
    service_id="METERS",
    fee_terminal_id="14400000017",
    tp_udhi=1,
    msg_fmt=cmpp.Format.UCS2,
    msg_src="900001",
    valid_time="260303083059032+",
    src_id="10658000123",
    dest_terminal_id=("14400000017", "8614400000018"),
    msg_content=PART,
)
REPORT = cmpp.Report(ID, "DELIVRD", "2603020830", "2603020831", "14400000017", 42)
#: by name
CMPP: dict[str, cmpp.Message] = {
    "connect": cmpp.Message(
        cmpp.Command.CONNECT,
        1,
        cmpp.Connect("900001", cmpp.authenticator("900001", "secret", 302083059), 0x20, 302083059),
    ),
    "connect_resp": cmpp.Message(cmpp.Command.CONNECT_RESP, 1, cmpp.Connected(3, bytes(range(16)))),
    "terminate": cmpp.Message(cmpp.Command.TERMINATE, 2),
    "terminate_resp": cmpp.Message(cmpp.Command.TERMINATE_RESP, 2),
    "submit": cmpp.Message(cmpp.Command.SUBMIT, 3, SUBMIT),
    "submit_resp": cmpp.Message(cmpp.Command.SUBMIT_RESP, 3, cmpp.Submitted(ID, cmpp.Result.FLOW_CONTROL_ERROR)),
    "deliver": cmpp.Message(
        cmpp.Command.DELIVER,
        4,
        cmpp.Deliver(ID, "10658000123", "METERS", src_terminal_id="8614400000017", msg_content=b"reading 17"),
    ),
    "deliver, report": cmpp.Message(
        cmpp.Command.DELIVER,
        5,
        cmpp.Deliver(
            ID,
            "10658000123",
            "METERS",
            src_terminal_id="14400000017",
            registered_delivery=1,
            msg_content=cmpp.encode_report(REPORT),
        ),
    ),
    "deliver_resp": cmpp.Message(cmpp.Command.DELIVER_RESP, 5, cmpp.Delivered(ID)),
    "query": cmpp.Message(cmpp.Command.QUERY, 6, cmpp.Query("20260302", 1, "METERS")),
    "query_resp": cmpp.Message(
        cmpp.Command.QUERY_RESP, 6, cmpp.Queried("20260302", 1, "METERS", 1, 2, 3, 4, 5, 6, 7, 8)
    ),
    "cancel": cmpp.Message(cmpp.Command.CANCEL, 7, cmpp.Cancel(ID)),
    "cancel_resp": cmpp.Message(cmpp.Command.CANCEL_RESP, 7, cmpp.Cancelled(1)),
    "active_test": cmpp.Message(cmpp.Command.ACTIVE_TEST, 8),
    "active_test_resp": cmpp.Message(cmpp.Command.ACTIVE_TEST_RESP, 8, cmpp.ActiveTested()),
}
