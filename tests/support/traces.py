"""A trace with real octets, for tests of what reads traces: a meter's card is refused in a phone.

The octets come from the wire families, which are checked against other implementations in tests/vectors and tests/unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simwarden.machine.nas_security import NasSecurityContext
from simwarden.model.identity import Ecgi, Plmn, Tai
from simwarden.policy.decision import Control, Decision, Ruling, Verdict
from simwarden.trace.events import Decided, Event, Frame, Note, PeerFault, StateChange, StepMark
from simwarden.wire.nas.security_header import SecurityHeaderType

IMSI = "001010000000017"
IMEISV = "3599990000000701"
ORDER = {"card": 0, "meter": 10, "phone": 10, "enb": 30, "mme": 50, "eir": 80, "hss": 90}
LINKS = {"ME-UICC": 1, "Uu": 2, "S1-MME": 3, "S6a": 4, "S13": 5, "X2": 6}
KASME = bytes(range(0x40, 0x60))
CK, IK, KENB = b"\xc1" * 16, b"\xd2" * 16, b"\xe3" * 32
PROTECTED, NEW = SecurityHeaderType(2), SecurityHeaderType(3)


def _rule(**_: object) -> Ruling:
    return Ruling.admit("")


LEARNED = Control("bind.hss.learned", "bind.hss.learned", _rule, ("update-location",), "IMEI bound at first use")
GREY = Control("bind.eir", "bind.eir", _rule, ("me-identity-check",), "Equipment status")


@dataclass
class Teller:
    """Emits events with numbers and times."""

    events: list[Event] = field(default_factory=list)
    time: float = 0.0

    def add(self, event: Event) -> None:
        event.number, event.time = len(self.events) + 1, self.time
        self.events.append(event)

    def frame(
        self, interface: str, source: str, target: str, data: bytes, *, up: bool, clear: bytes | None = None
    ) -> None:
        protocol = {"ME-UICC": "apdu", "Uu": "uu", "S1-MME": "s1ap", "X2": "x2"}.get(interface, "diameter")
        ppid = {"S1-MME": 18, "X2": 27}.get(interface, 0)
        self.add(
            Frame(
                source=source,
                target=target,
                interface=interface,
                protocol=protocol,
                data=data,
                link=LINKS[interface],
                ppid=ppid,
                clear=clear,
                from_client=up,
            )
        )

    def step(self, index: int, text: str, line: int) -> None:
        self.add(StepMark(index=index, text=text, line=line))

    def decide(self, element: str, control: Control, verdict: Verdict, reason: str, **details: object) -> None:
        decision = Decision(control, verdict, reason, IMSI, details, control.occasions[0])
        self.add(Decided(element=element, decision=decision))


def diameter(name: str, *avps: tuple[str, object], answer: bool = False, number: int = 1) -> bytes:
    """Return a message of S6a or S13."""
    from simwarden.wire.diameter import Message, application_id, encode
    from simwarden.wire.diameter.dictionary import COMMANDS

    command = next(each for each in COMMANDS.values() if each.grammar.name == name)
    base = command.application == 0
    peer = ("hss" if command.application == 16777251 else "eir") if answer else "mme"
    realm = "epc.mnc001.mcc001.3gppnetwork.org"
    head = [] if base else [("Session-Id", f"mme.{realm};1;{number}"), application_id(command.application)]
    state = [] if base else [("Auth-Session-State", 1)]
    origin = [("Origin-Host", f"{peer}.{realm}"), ("Origin-Realm", realm)]
    route = [] if base or answer else [("Destination-Realm", realm)]
    flags = (0 if answer else 0x80) | (0 if base else 0x40)
    results = [avp for avp in avps if "Result" in avp[0]]
    rest = [avp for avp in avps if "Result" not in avp[0]]
    every = [*head, *results, *state, *origin, *route, *rest]
    return encode(Message(command.code, command.application, flags, number, number + 0x1000, every))


def apdus(tell: Teller, device: str) -> None:
    """The terminal powers the card and reads who it is."""
    from simwarden.wire.apdu.command import CommandApdu, ResponseApdu
    from simwarden.wire.apdu.control import ATR, Control

    def exchange(command: bytes, response: bytes) -> None:
        tell.frame("ME-UICC", device, "card", command, up=True)
        tell.frame("ME-UICC", "card", device, response, up=False)

    exchange(Control.POWER_ON.message(), ATR)
    exchange(CommandApdu(0, 0xA4, 0, 4, b"\x3f\x00").to_bytes(), ResponseApdu(b"", 0x611C).to_bytes())
    exchange(CommandApdu(0, 0xA4, 8, 4, b"\x7f\xff\x6f\x07").to_bytes(), ResponseApdu(b"", 0x611C).to_bytes())
    imsi = bytes.fromhex("080910100000000071")
    exchange(CommandApdu(0, 0xB0, 0, 0, b"", 9).to_bytes(), ResponseApdu(imsi).to_bytes())


def authenticate(tell: Teller, device: str) -> None:
    """The card answers a challenge."""
    from simwarden.wire.apdu.authenticate import AuthenticateResponse, authenticate_command
    from simwarden.wire.apdu.command import ResponseApdu, get_response

    response = AuthenticateResponse(b"\x11" * 8, CK, IK).to_bytes()
    tell.frame("ME-UICC", device, "card", authenticate_command(b"\x22" * 16, b"\x33" * 16).to_bytes(), up=True)
    tell.frame("ME-UICC", "card", device, ResponseApdu(b"", 0x6100 | len(response)).to_bytes(), up=False)
    tell.frame("ME-UICC", device, "card", get_response(len(response)).to_bytes(), up=True)
    tell.frame("ME-UICC", "card", device, ResponseApdu(response).to_bytes(), up=False)


class Radio:
    """NAS messages on their way through the eNB, both ends' security contexts included."""

    cell = Ecgi(Plmn("001", "01"), 0x0000101)
    tai = Tai(Plmn("001", "01"), 1)

    def __init__(self, tell: Teller, device: str) -> None:
        self.tell, self.device = tell, device
        self.ue = NasSecurityContext(KASME, ksi=0, eia=2, eea=2, is_network=False)
        self.network = NasSecurityContext(KASME, ksi=0, eia=2, eea=2, is_network=True)

    def connect(self, nas: bytes) -> None:
        from simwarden.wire import s1ap, uu
        from simwarden.wire.s1ap.enums import RrcEstablishmentCause

        device, tell = self.device, self.tell
        request = uu.RrcConnectionRequest(
            self.cell.cell_identity, uu.RandomValue(7), uu.EstablishmentCause.MO_SIGNALLING
        )
        tell.frame("Uu", device, "enb", uu.encode(request), up=True)
        tell.frame("Uu", "enb", device, uu.encode(uu.RrcConnectionSetup(61)), up=False)
        complete = uu.RrcConnectionSetupComplete(self.cell.plmn, nas)
        tell.frame("Uu", device, "enb", uu.encode(complete), up=True)
        ies = {"enb_ue_s1ap_id": 1, "nas_pdu": nas, "tai": self.tai, "eutran_cgi": self.cell}
        ies["rrc_establishment_cause"] = RrcEstablishmentCause.MO_SIGNALLING
        tell.frame("S1-MME", "enb", "mme", s1ap.encode(s1ap.Message("initial-ue-message", ies)), up=True)

    def up(self, nas: bytes, clear: bytes | None = None) -> None:
        from simwarden.wire import s1ap, uu

        self.tell.frame("Uu", self.device, "enb", uu.encode(uu.UlInformationTransfer(nas)), up=True, clear=clear)
        ies = {"mme_ue_s1ap_id": 1, "enb_ue_s1ap_id": 1, "nas_pdu": nas, "eutran_cgi": self.cell, "tai": self.tai}
        self.tell.frame("S1-MME", "enb", "mme", s1ap.encode(s1ap.Message("uplink-nas-transport", ies)), up=True)

    def down(self, nas: bytes, clear: bytes | None = None) -> None:
        from simwarden.wire import s1ap, uu

        ies = {"mme_ue_s1ap_id": 1, "enb_ue_s1ap_id": 1, "nas_pdu": nas}
        message = s1ap.encode(s1ap.Message("downlink-nas-transport", ies))
        self.tell.frame("S1-MME", "mme", "enb", message, up=False, clear=clear)
        self.tell.frame("Uu", "enb", self.device, uu.encode(uu.DlInformationTransfer(nas)), up=False)


def start(tell: Teller) -> None:
    """The network comes up."""
    hosts = [("Host-IP-Address", "192.0.2.1"), ("Vendor-Id", 0), ("Product-Name", "simwarden")]
    for interface, peer in (("S6a", "hss"), ("S13", "eir")):
        tell.frame(interface, "mme", peer, diameter("Capabilities-Exchange-Request", *hosts), up=True)
        answer = diameter("Capabilities-Exchange-Answer", ("Result-Code", 2001), *hosts, answer=True)
        tell.frame(interface, peer, "mme", answer, up=False)


ATTACH = bytes.fromhex("07417108091010000000007102e0e000050201d011d1")
AUTHENTICATION_REQUEST = bytes.fromhex("075200" + "22" * 16 + "10" + "33" * 16)
AUTHENTICATION_RESPONSE = bytes.fromhex("075308" + "11" * 8)
SECURITY_MODE_COMMAND = bytes.fromhex("075d020002e0e0c1")
SECURITY_MODE_COMPLETE = bytes.fromhex("075e2309" + "3395990900000000" + "f0")
ATTACH_ACCEPT = bytes.fromhex("07420121060000f110000100125201c1010906056d657465720501c0000201")
ATTACH_REJECT = bytes.fromhex("074408")


def attach(tell: Teller, device: str, *, bound: bool) -> None:
    """A device attaches; the HSS compares its IMEI with the bound one."""
    radio = Radio(tell, device)
    user = ("User-Name", IMSI)
    radio.connect(ATTACH)
    tell.time += 0.001
    ask = ("Requested-EUTRAN-Authentication-Info", [("Number-Of-Requested-Vectors", 1)])
    plmn = ("Visited-PLMN-Id", bytes.fromhex("00f110"))
    tell.frame("S6a", "mme", "hss", diameter("Authentication-Information-Request", user, ask, plmn, number=2), up=True)
    vector = [("RAND", b"\x22" * 16), ("XRES", b"\x11" * 8), ("AUTN", b"\x33" * 16), ("KASME", KASME)]
    info = ("Authentication-Info", [("E-UTRAN-Vector", vector)])
    answer = diameter("Authentication-Information-Answer", ("Result-Code", 2001), info, answer=True, number=2)
    tell.frame("S6a", "hss", "mme", answer, up=False)
    radio.down(AUTHENTICATION_REQUEST)
    authenticate(tell, device)
    radio.up(AUTHENTICATION_RESPONSE)
    radio.down(radio.network.protect(SECURITY_MODE_COMMAND, NEW))
    complete = radio.ue.protect(SECURITY_MODE_COMPLETE, SecurityHeaderType(4))
    radio.up(complete, SECURITY_MODE_COMPLETE)
    terminal = ("Terminal-Information", [("IMEI", IMEISV[:14]), ("Software-Version", IMEISV[14:])])
    tell.frame("S13", "mme", "eir", diameter("ME-Identity-Check-Request", terminal, user, number=3), up=True)
    tell.decide("eir", GREY, Verdict.ADMIT, "not on any list")
    status = ("Equipment-Status", 0)
    checked = diameter("ME-Identity-Check-Answer", ("Result-Code", 2001), status, answer=True, number=3)
    tell.frame("S13", "eir", "mme", checked, up=False)
    update = [user, terminal, ("RAT-Type", 1004), ("ULR-Flags", 34), plmn]
    tell.frame("S6a", "mme", "hss", diameter("Update-Location-Request", *update, number=4), up=True)
    accepted(tell, radio) if bound else rejected(tell, radio)


def accepted(tell: Teller, radio: Radio) -> None:
    from simwarden.wire import s1ap, uu
    from simwarden.wire.s1ap import PreEmptionCapability, PreEmptionVulnerability
    from simwarden.wire.s1ap.values import (
        AllocationAndRetentionPriority,
        ErabLevelQosParameters,
        ErabToBeSetup,
        UeAggregateMaximumBitrate,
        UeSecurityCapabilities,
    )

    tell.decide("hss", LEARNED, Verdict.ADMIT, "first use: IMEI learned")
    tell.add(StateChange(element="hss", observable="binding", value={"imsi": IMSI, "imei": IMEISV[:14]}, key=IMSI))
    ok = [("Result-Code", 2001), ("ULA-Flags", 1)]
    tell.frame("S6a", "hss", "mme", diameter("Update-Location-Answer", *ok, answer=True, number=4), up=False)
    priority = AllocationAndRetentionPriority(9, PreEmptionCapability(0), PreEmptionVulnerability(0))
    accept = radio.network.protect(ATTACH_ACCEPT, PROTECTED)
    bearer = ErabToBeSetup(5, ErabLevelQosParameters(9, priority), bytes((192, 0, 2, 60)), 1, accept)
    ies = {
        "mme_ue_s1ap_id": 1,
        "enb_ue_s1ap_id": 1,
        "ue_aggregate_maximum_bitrate": UeAggregateMaximumBitrate(10**6, 10**6),
        "e_rab_to_be_setup_list_ctxt_su_req": (bearer,),
        "ue_security_capabilities": UeSecurityCapabilities(0x4000, 0x4000),
        "security_key": KENB,
    }
    request = s1ap.encode(s1ap.Message("initial-context-setup-request", ies))
    tell.frame("S1-MME", "mme", "enb", request, up=False, clear=ATTACH_ACCEPT)
    reconfiguration = uu.RrcConnectionReconfiguration((5,), dedicated_info_nas=(accept,))
    tell.frame("Uu", "enb", radio.device, uu.encode(reconfiguration), up=False)
    done = uu.RrcConnectionReconfigurationComplete()
    tell.frame("Uu", radio.device, "enb", uu.encode(done), up=True)
    tell.add(StateChange(element=radio.device, observable="attach", value="accepted"))


def rejected(tell: Teller, radio: Radio) -> None:
    why = f"IMEI {IMEISV[:14]} is not the bound 35999900000006"
    tell.decide("hss", LEARNED, Verdict.REFUSE, why, expected="35999900000006", seen=IMEISV[:14])
    result = ("Experimental-Result", [("Vendor-Id", 10415), ("Experimental-Result-Code", 5001)])
    tell.frame("S6a", "hss", "mme", diameter("Update-Location-Answer", result, answer=True, number=4), up=False)
    radio.down(radio.network.protect(ATTACH_REJECT, PROTECTED), ATTACH_REJECT)
    tell.add(StateChange(element=radio.device, observable="attach", value="rejected"))


def moved_card() -> list[Event]:
    """Return the whole story."""
    tell = Teller()
    start(tell)
    tell.step(0, "insert: {card: card, into: meter}", 14)
    tell.step(1, "power_on: meter", 15)
    apdus(tell, "meter")
    attach(tell, "meter", bound=True)
    tell.step(2, "move: {card: card, to: phone}", 20)
    tell.step(3, "power_on: phone", 21)
    tell.time += 3600.25
    apdus(tell, "phone")
    attach(tell, "phone", bound=False)
    tell.add(Note(element="phone", text="T3247 started", fields={"seconds": 1800}))
    tell.add(PeerFault(element="mme", peer="enb", interface="S1-MME", reason="no S1AP-PDU", data=b"\xff\x00"))
    return tell.events
