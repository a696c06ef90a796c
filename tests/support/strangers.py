"""Valid messages from an unknown host to each port of served elements, and the answers to them."""

from __future__ import annotations

import json
import socket
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from gateways import create_session
from scapy.contrib import gtp_v2
from served import NET, REALM

from simwarden.machine.diameter_shared import LocalNode
from simwarden.model.form import Slot
from simwarden.model.identity import Ecgi, Plmn
from simwarden.model.interfaces import INTERFACES
from simwarden.runtime.transport.framing import Deframer, enclose
from simwarden.wire import cmpp, diameter, dtap, gtpu, gtpv2, m3ua, mqtt, s1ap, smpp, uu, x2
from simwarden.wire.apdu.control import insertion
from simwarden.wire.diameter.dictionary import BY_POINT
from simwarden.wire.nas import IdentityType, MobileIdentity
from simwarden.wire.s1ap.values import GlobalEnbId, MacroEnbId, SupportedTa
from simwarden.wire.x2.enums import TransmissionBandwidth
from simwarden.wire.x2.ies import FddInfo, ServedCell

if TYPE_CHECKING:
    from collections.abc import Callable

Where = tuple[str, int]
STRANGER: Final = f"{NET}.66"
#: the address of the configured peers
PINNED: Final = "192.0.2.7"
PATIENCE: Final = 10.0
#: seconds without an answer
SILENCE: Final = 1.0
NOTHING: Final = ""
PLMN = Plmn("001", "01")
ENB = GlobalEnbId(PLMN, MacroEnbId(77))
FDD = FddInfo(19300, 1300, TransmissionBandwidth.BW50, TransmissionBandwidth.BW50)
CELL = ServedCell(1, Ecgi(PLMN, 77 << 8), 1, (PLMN,), FDD)


class Probe(NamedTuple):
    """A valid message for a port, and the function that reads the answer."""

    message: bytes
    read: Callable[[bytes], str]


def ask(where: Where, interface: str, probe: Probe, patience: float = PATIENCE) -> str:
    """Send the probe from an unknown host; return the answer in a word, empty if there is no answer."""
    point = INTERFACES[interface]
    if point.service.name == "DATAGRAMS":
        return _ask_by_datagram(where, point.port, probe, patience)
    framed = point.service.name == "MESSAGES" and not point.self_delimiting
    octets = enclose(probe.message, 0, point.ppid) if framed else probe.message
    deframer = Deframer()
    with suppress(OSError), closing(socket.create_connection(where, patience, (STRANGER, 0))) as peer:
        peer.sendall(octets)
        while data := peer.recv(65536):
            for message in [each for each, _ in deframer.feed(data)] if framed else [data]:
                return probe.read(message)
    return NOTHING


def _ask_by_datagram(where: Where, port: int, probe: Probe, patience: float) -> str:
    """Ask from the well-known port: an Error Indication goes to no other (TS 29.281 4.4.2.4)."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as peer:
        peer.bind((STRANGER, port))
        peer.settimeout(patience)
        with suppress(OSError):
            peer.sendto(probe.message, where)
            while True:
                word = probe.read(peer.recv(65536))
                if word:
                    return word
    return NOTHING


# -- a message for each interface


def capabilities(host: str, point: str) -> Probe:
    """An exchange of capabilities in the name of a listed peer."""
    node = LocalNode(f"{host}.{REALM}", REALM, ("127.0.0.1",), applications=(int(BY_POINT[point]),))
    request = diameter.request("Capabilities-Exchange-Request", node.capabilities(), hop_by_hop=1, end_to_end=1)
    return Probe(diameter.encode(request), lambda data: f"Result-Code {diameter.decode(data).result_code}")


def asp_up() -> Probe:
    def read(data: bytes) -> str:
        answer = m3ua.decode(data)
        return f"ERR {answer.error_code}" if answer.error_code is not None else answer.type.name

    return Probe(m3ua.encode(m3ua.Message(m3ua.MessageType.ASP_UP)), read)


def s1_setup() -> Probe:
    areas = {"supported_tas": (SupportedTa(1, (PLMN,)),), "default_paging_drx": s1ap.PagingDrx.V64}
    request = s1ap.Message("s1-setup-request", {"global_enb_id": ENB, **areas})
    return Probe(s1ap.encode(request), lambda data: s1ap.decode(data).name)


def x2_setup() -> Probe:
    request = x2.Message("x2-setup-request", {"global_enb_id": ENB, "served_cells": (CELL,)})
    return Probe(x2.encode(request), lambda data: x2.decode(data).name)


def search() -> Probe:
    return Probe(uu.encode(uu.CellSearch()), lambda data: uu.decode(data).name)


def call_by_imsi() -> Probe:
    """A request for a call, in the name of a card."""
    asked = dtap.Message(
        dtap.MessageType.CM_SERVICE_REQUEST,
        cm_service_type=dtap.CmServiceType.MOBILE_ORIGINATING_CALL,
        ciphering_key_sequence_number=7,
        mobile_station_classmark_2=b"\x30\x18\x00",
        mobile_identity=MobileIdentity(IdentityType.IMSI, "001010000000001"),
    )
    return Probe(dtap.encode(asked), lambda data: dtap.decode(data).type.name)


def contacts() -> Probe:
    """A card reader that takes the card in."""
    return Probe(insertion(Slot.ANY), lambda data: "answer" if data else NOTHING)


def invite() -> Probe:
    number = "+8613800001111"
    lines = (
        f"INVITE sip:{number}@{STRANGER} SIP/2.0",
        f"Via: SIP/2.0/UDP {STRANGER};branch=z9hG4bK776asdhds;rport",
        "Max-Forwards: 70",
        f"From: <sip:{number}@{STRANGER}>;tag=1928301774",
        f"To: <sip:{number}@{STRANGER}>",
        f"Call-ID: a84b4c76e66710@{STRANGER}",
        "CSeq: 1 INVITE",
        f"Contact: <sip:{number}@{STRANGER}>",
        f"P-Asserted-Identity: <sip:{number}@{STRANGER}>",
        "Content-Length: 0",
    )

    def read(data: bytes) -> str:
        status = data.split()[1].decode()
        return NOTHING if status == "100" else f"status {status}"

    return Probe("\r\n".join((*lines, "", "")).encode(), read)


def create() -> Probe:
    """A Create Session Request."""
    mme: Any = SimpleNamespace(site=SimpleNamespace(address_of=lambda *_: (f"{NET}.9", 2123)), address=STRANGER)
    header = gtp_v2.GTPHeader(gtp_type="create_session_req", P=0, T=1, teid=0, seq=1)

    def read(data: bytes) -> str:
        answer = gtpv2.decode(data)
        return f"cause {int(answer.cause)}" if answer.name == "create-session-response" else NOTHING

    return Probe(bytes(header / create_session(mme)), read)


def notify() -> Probe:
    """A Downlink Data Notification about a session."""
    message = gtpv2.Message("downlink-data-notification", {}, 7, 1)
    return Probe(gtpv2.encode(message), lambda data: f"cause {int(gtpv2.decode(data).cause)}")


def packet() -> Probe:
    """Return a user packet for an unknown TEID."""
    inner = bytes.fromhex("4500001400000000401100000a000001c0000235")
    return Probe(gtpu.g_pdu(0x77777777, inner), lambda data: gtpu.decode(data).type.name)


def smpp_bind() -> Probe:
    bind = smpp.Pdu(smpp.Command.BIND_TRANSCEIVER, 1, 0, smpp.Bind("gateway", "wrong"))
    return Probe(smpp.encode(bind), lambda data: f"command_status {smpp.decode(data).status}")


def cmpp_connect() -> Probe:
    connect = cmpp.Message(cmpp.Command.CONNECT, 1, cmpp.Connect("901234", bytes(16)))

    def read(data: bytes) -> str:
        body: Any = cmpp.decode(data).body
        return f"Status {int(body.status)}"

    return Probe(cmpp.encode(connect), read)


def mqtt_connect() -> Probe:
    return Probe(mqtt.encode(mqtt.Connect("stranger")), lambda data: f"CONNACK {data[3]}")


def http_status(where: Where, path: str) -> str:
    """Return the status that a call without a token has."""
    request = HttpRequest(f"http://{where[0]}:{where[1]}{path}", b"{}" if path != "/" else None)
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - as above
            return f"status {answer.status} {json.load(answer)}"
    except HTTPError as error:
        return f"status {error.code}"


def user_packet() -> Probe:
    """Return a user packet whose source has no session."""
    inner = bytes.fromhex("4500001400000000401100000a000001c0000235")
    return Probe(inner, lambda data: "answer" if data else NOTHING)
