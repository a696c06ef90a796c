"""The EMM machine of the terminal, driven without an event loop: a port that records, and a network that talks back."""

from __future__ import annotations

import math
import random
from asyncio import sleep
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from simulators.device.clients.card import CardData
from simulators.device.clients.packets import Packets
from simulators.device.config import DeviceConfig
from simulators.device.contexts import Emm
from simulators.device.dispatch import Dispatch
from simulators.device.procedures import attach, authentication, detach, service_request, tracking_area_update
from simulators.device.procedures.cell_selection import on_camped
from simulators.device.rejects import REACTIONS, Forbid, Usim
from simulators.device.state import EmmState, Procedure, Timer, UpdateStatus
from simulators.device.terminal import CAPABILITY, Terminal
from simwarden.machine.eps_keys import kasme
from simwarden.machine.nas_security import NasSecurityContext
from simwarden.model.identity import Ecgi, Guti, Imei, Plmn, Tai
from simwarden.wire.apdu.authenticate import AuthenticateResponse
from simwarden.wire.apdu.contents import Bind, EpsLoci, EpsNsc
from simwarden.wire.nas import (
    DEACTIVATED,
    EmmCause,
    EpsQos,
    EsmCause,
    IdentityType,
    Message,
    MessageType,
    NasAlgorithms,
    PdnAddress,
    PdnType,
    SecurityHeaderType,
    UeSecurityCapability,
    decode,
    encode,
)
from simwarden.wire.uu import CellInformation, EstablishmentCause

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from functools import partial

    from simwarden.wire.apdu.efs import Ef

T = MessageType
PLMN = Plmn("001", "01")
CELL = CellInformation(Ecgi(PLMN, 0x101), Tai(PLMN, 1))
OTHER_CELL = CellInformation(Ecgi(PLMN, 0x201), Tai(PLMN, 2))
GUTI = Guti(PLMN, 0x8001, 1, 0xC0FFEE01)
IMEI = Imei("99000101000001")
RAND, AUTN = bytes(range(16)), b"\x11" * 6 + b"\x80\x00" + b"\x22" * 8
RES, CK, IK = b"r" * 8, b"c" * 16, b"i" * 16
PLAIN, INTEGRITY, CIPHERED = SecurityHeaderType(0), SecurityHeaderType(1), SecurityHeaderType(2)


class Port:
    """Site, clock, radio and card of the terminal in one: it records what is done with them."""

    internal = True
    link = None
    cell = property(lambda self: self.emm.cell)

    def __init__(self) -> None:
        self.clock = self.rng = self
        self.sent: list[tuple[bytes, bytes | None, EstablishmentCause]] = []
        self.timers: dict[Timer, float] = {}
        self.seen: dict[str, Any] = {}
        self.asked: list[bytes] = []
        self.stored: list[str] = []
        self.notes: list[str] = []
        self.faults: list[str] = []
        self.releases, self.at = 0, 0.0
        self.emm: Any = None

    # -- the site

    def call_later(self, seconds: float, expired: partial[None]) -> SimpleNamespace:
        timer = expired.args[0]
        self.timers[timer] = seconds
        return SimpleNamespace(cancel=lambda: self.timers.pop(timer, None))

    def keep_alive(self, seconds: float, expired: partial[None], *, internal: bool) -> SimpleNamespace:
        assert internal
        return self.call_later(seconds, expired)

    def uniform(self, low: float, high: float) -> float:
        return (low + high) / 2

    def now(self) -> float:
        return self.at

    def observe(self, name: str, value: Any, *, key: str = "") -> None:
        self.seen[f"{name}/{key}" if key else name] = value

    def note(self, text: str, **_fields: Any) -> None:
        self.notes.append(text)

    def spawn(self, work: Coroutine[Any, Any, None], _what: str) -> None:
        with suppress(StopIteration):
            work.send(None)
        self.work = work  # it waits for ever

    # -- the radio

    def send_nas(self, pdu: bytes, clear: bytes | None, cause: EstablishmentCause) -> None:
        self.sent.append((pdu, clear, cause))

    def release(self) -> None:
        self.releases += 1

    def fault(self, reason: str, _pdu: bytes) -> None:
        self.faults.append(reason)

    async def find(self, _name: str) -> None:
        await sleep(0)

    # -- the card

    def store(self, content: Callable[[], tuple[Ef, bytes]]) -> None:
        self.stored.append(content()[0].name)

    async def authenticate(self, rand: bytes, autn: bytes) -> None:
        self.asked.append(rand + autn)
        await sleep(0)


class Net:
    """A terminal with a card in a cell, and the network's side of its security."""

    def __init__(self, *, card: CardData | None = None, voice: bool = False, gives_imeisv: bool = True) -> None:
        self.port: Any = Port()
        terminal = Terminal(IMEI, IMEI, IMEI, voice, gives_imeisv)
        self.emm = Emm(self.port, DeviceConfig(), terminal)  # type: ignore[arg-type]
        self.emm.radio = self.emm.session = self.port  # type: ignore[assignment]
        self.emm.packets = Packets(self.emm)
        self.port.emm = self.emm
        self.dispatch = Dispatch(self.emm)
        self.outcomes: list[tuple[Procedure, str]] = []
        self.emm.answer = lambda *ended: self.outcomes.append(ended)  # type: ignore[method-assign]
        self.emm.insert(card or CardData("001010000000001", PLMN, EpsLoci(), EpsNsc(), [], Bind()))
        self.emm.cell = CELL
        self.security: NasSecurityContext | None = None

    def last(self) -> Message:
        """Return the last message sent, its protection checked."""
        pdu, clear, _ = self.port.sent[-1]
        if pdu[0] >> 4 == 0:
            return decode(pdu, uplink=True)
        assert self.security is not None
        plain = self.security.unprotect(pdu)
        assert clear in (None, plain)
        return decode(plain, uplink=True)

    def give(self, message: Message, kind: SecurityHeaderType = CIPHERED) -> None:
        """Send the terminal a message."""
        plain = encode(message)
        assert self.security is not None or kind is PLAIN
        self.dispatch.on_nas(plain if kind is PLAIN else self.security.protect(plain, kind))  # type: ignore[union-attr]

    def expire(self, timer: Timer) -> None:
        """Let a timer run out."""
        assert timer in self.port.timers
        del self.port.timers[timer]
        self.dispatch.on_expiry(timer)

    def authenticate(self) -> None:
        self.dispatch.on_connected()
        self.give(Message(T.AUTHENTICATION_REQUEST, nas_key_set_identifier=1, rand=RAND, autn=AUTN), PLAIN)
        assert self.port.asked == [RAND + AUTN]
        authentication.on_card_answer(self.emm, RAND, AuthenticateResponse(RES, CK, IK))
        assert self.last()["res"] == RES
        key = kasme(CK, IK, PLMN, AUTN[:6])
        self.security = NasSecurityContext(key, ksi=1, eia=2, eea=2, is_network=True)

    def command(self, **changes: Any) -> Message:
        fields: dict[str, Any] = {
            "selected_nas_security_algorithms": NasAlgorithms(2, 2),
            "nas_key_set_identifier": 1,
            "replayed_ue_security_capabilities": UeSecurityCapability.replay(CAPABILITY),
            "imeisv_request": 1,
        }
        return Message(T.SECURITY_MODE_COMMAND, **(fields | changes))

    def secure(self) -> None:
        self.authenticate()
        self.give(self.command(), SecurityHeaderType.INTEGRITY_PROTECTED_NEW_CONTEXT)

    def accept(self) -> None:
        bearer = Message(
            T.ACTIVATE_DEFAULT_EPS_BEARER_CONTEXT_REQUEST,
            eps_bearer_identity=5,
            eps_qos=EpsQos(9),
            access_point_name="meters.example",
            pdn_address=PdnAddress(PdnType.IPV4, "192.0.2.7"),
        )
        self.give(
            Message(
                T.ATTACH_ACCEPT,
                eps_attach_result=1,
                t3412=3240.0,
                t3402=60.0,
                tai_list=[CELL.tai],
                esm_message_container=encode(bearer),
                guti=GUTI,
            )
        )

    def attached(self) -> Net:
        attach.start(self.emm)
        self.secure()
        self.accept()
        assert self.last().type is T.ATTACH_COMPLETE
        return self

    def idle(self) -> Net:
        self.dispatch.on_released()
        return self


def test_an_accept_that_comes_again_is_completed_again() -> None:
    net = Net().attached()
    for _ in range(2):
        net.accept()
        assert net.last().type is T.ATTACH_COMPLETE
    assert net.emm.state is EmmState.REGISTERED


def test_attach_from_imsi_to_complete() -> None:
    net = Net()
    attach.start(net.emm)
    request = net.last()
    assert request["eps_mobile_identity"] == (IdentityType.IMSI, "001010000000001")
    assert request["nas_key_set_identifier"] == 7
    assert net.port.timers[Timer.T3410] == 15
    net.secure()
    assert net.last()["imeisv"].digits == IMEI.imeisv
    net.accept()
    assert net.last()["esm_message_container"] == bytes.fromhex("5200c2")
    assert net.outcomes == [(Procedure.ATTACH, "accepted")]
    assert net.emm.state is EmmState.REGISTERED
    assert (net.emm.guti, net.emm.tai_list, net.emm.last_tai) == (GUTI, [CELL.tai], CELL.tai)
    assert Timer.T3410 not in net.port.timers
    assert net.port.seen["address"] == "192.0.2.7"
    net.idle()
    assert net.port.timers[Timer.T3412] == 3240


def test_attach_with_stored_guti_and_keys_is_integrity_protected() -> None:
    stored = EpsNsc(3, b"k" * 32, 7, 9, 2, 2)
    card = CardData("001010000000001", PLMN, EpsLoci(GUTI, CELL.tai), stored, [], Bind())
    net = Net(card=card)
    net.security = NasSecurityContext(b"k" * 32, ksi=3, eia=2, eea=2, is_network=True, ul_count=7, dl_count=10)
    attach.start(net.emm)
    assert net.port.sent[-1][0][0] == 0x17
    request = net.last()
    assert request["eps_mobile_identity"].guti == GUTI
    assert request["nas_key_set_identifier"] == 3
    net.dispatch.on_connected()
    net.accept()  # the network goes on under the stored context, without authentication
    assert net.outcomes == [(Procedure.ATTACH, "accepted")]


def test_terminal_that_gives_no_imeisv() -> None:
    net = Net(gives_imeisv=False)
    attach.start(net.emm)
    net.secure()
    assert "imeisv" not in net.last()
    net.give(Message(T.IDENTITY_REQUEST, identity_type=3))
    assert net.last()["mobile_identity"].type is IdentityType.NO_IDENTITY


def test_imei_is_not_told_in_clear() -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_connected()
    count = len(net.port.sent)
    net.give(Message(T.IDENTITY_REQUEST, identity_type=2), PLAIN)
    assert len(net.port.sent) == count
    assert "4.4.4.2" in net.port.faults[0]
    net.give(Message(T.IDENTITY_REQUEST, identity_type=1), PLAIN)
    assert net.last()["mobile_identity"].digits == "001010000000001"


@pytest.mark.parametrize(
    ("answer", "cause", "timer"),
    [
        (0x9862, EmmCause.MAC_FAILURE, Timer.T3418),
        (AuthenticateResponse(auts=bytes(14)), EmmCause.SYNCH_FAILURE, Timer.T3420),
    ],
)
def test_authentication_failures(answer: Any, cause: EmmCause, timer: Timer) -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_connected()
    challenge = Message(T.AUTHENTICATION_REQUEST, nas_key_set_identifier=1, rand=RAND, autn=AUTN)
    for attempt in range(3):
        net.give(challenge, PLAIN)
        authentication.on_card_answer(net.emm, RAND, answer)
        assert net.last()["emm_cause"] == cause
        assert (timer in net.port.timers) == (attempt < 2)
    # The third failure in a row: the network is not genuine.
    assert net.port.releases == 1
    assert net.outcomes == [(Procedure.ATTACH, "no-answer")]


def test_vector_that_is_not_for_eps() -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_connected()
    autn = AUTN[:6] + b"\x00\x00" + AUTN[8:]
    net.give(Message(T.AUTHENTICATION_REQUEST, nas_key_set_identifier=1, rand=RAND, autn=autn), PLAIN)
    assert net.last()["emm_cause"] == EmmCause.NON_EPS_AUTHENTICATION_UNACCEPTABLE
    assert not net.port.asked


def test_card_that_refuses_to_authenticate() -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_connected()
    net.give(Message(T.AUTHENTICATION_REQUEST, nas_key_set_identifier=1, rand=RAND, autn=AUTN), PLAIN)
    authentication.on_card_answer(net.emm, RAND, 0x6985)
    assert net.outcomes == [(Procedure.ATTACH, "card-refused")]
    assert Timer.T3411 in net.port.timers


def test_repeated_challenge_is_answered_without_the_card() -> None:
    net = Net()
    attach.start(net.emm)
    net.authenticate()
    net.give(Message(T.AUTHENTICATION_REQUEST, nas_key_set_identifier=1, rand=RAND, autn=AUTN), PLAIN)
    assert len(net.port.asked) == 1
    assert net.last()["res"] == RES


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"replayed_ue_security_capabilities": UeSecurityCapability(0x80, 0x80)}, 23),
        ({"selected_nas_security_algorithms": NasAlgorithms(2, 0)}, 23),
        ({"selected_nas_security_algorithms": NasAlgorithms(3, 2)}, 23),
        ({"nas_key_set_identifier": 4}, 24),
    ],
)
def test_security_mode_commands_that_are_refused(changes: dict[str, Any], cause: int) -> None:
    net = Net()
    attach.start(net.emm)
    net.authenticate()
    net.give(net.command(**changes), SecurityHeaderType.INTEGRITY_PROTECTED_NEW_CONTEXT)
    assert net.last()["emm_cause"] == cause
    assert net.emm.security is None


def test_forged_security_mode_command() -> None:
    net = Net()
    attach.start(net.emm)
    net.authenticate()
    assert net.security is not None
    pdu = net.security.protect(encode(net.command()), SecurityHeaderType.INTEGRITY_PROTECTED_NEW_CONTEXT)
    net.dispatch.on_nas(pdu[:1] + b"\0\0\0\0" + pdu[5:])
    assert net.last()["emm_cause"] == 24
    assert not net.emm.secure


def reject(net: Net, cause: int, kind: SecurityHeaderType, **more: Any) -> None:
    net.give(Message(T.ATTACH_REJECT, emm_cause=cause, **more), kind)


@pytest.mark.parametrize("cause", sorted(REACTIONS[Procedure.ATTACH]))
def test_protected_attach_rejects(cause: int) -> None:
    """Every cause of the table, under integrity protection."""
    net = Net()
    attach.start(net.emm)
    net.secure()
    reject(net, cause, CIPHERED, **({"t3346": 600.0} if cause == EmmCause.CONGESTION else {}))
    reaction = REACTIONS[Procedure.ATTACH][cause]
    emm = net.emm
    assert net.outcomes == [(Procedure.ATTACH, "rejected")]
    assert net.port.seen["emm_cause"] == cause
    assert (emm.state, emm.usim) == (reaction.state, reaction.usim)
    assert emm.update_status is reaction.status
    assert (emm.security is None) == reaction.delete
    assert (emm.cell is not None and emm.suitable(emm.cell)) == (reaction.forbid is Forbid.NOTHING)
    assert Timer.T3247 not in net.port.timers
    assert net.port.timers.get(Timer.T3346) == (600 if cause == EmmCause.CONGESTION else None)
    net.dispatch.on_released()
    attach.start(emm)
    unhindered = cause == EmmCause.NOT_AUTHORIZED_FOR_THIS_CSG
    assert (net.outcomes[-1][1] in ("usim-invalid", "no-suitable-cell", "backed-off")) != unhindered


@pytest.mark.parametrize("cause", [3, 6, 7, 8, 11, 12, 13, 14, 15, 35])
def test_unprotected_attach_rejects_are_forgiven(cause: int) -> None:
    """5.3.7b: T3247 gives back what a reject that anyone could have sent has taken."""
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_connected()
    reject(net, cause, PLAIN)
    assert net.outcomes == [(Procedure.ATTACH, "rejected")]
    assert net.port.timers[Timer.T3247] == 2700
    net.dispatch.on_released()
    net.expire(Timer.T3247)
    assert net.emm.usim is Usim.KEEP
    assert net.emm.suitable(net.emm.cell)
    assert net.emm.procedure is Procedure.ATTACH  # it tries again


def test_unprotected_rejects_are_not_forgiven_for_ever() -> None:
    net = Net()
    net.emm.max_unprotected = 2
    for round_ in range(2):
        attach.start(net.emm)
        net.dispatch.on_connected()
        reject(net, 8, PLAIN)
        net.dispatch.on_released()
        assert net.port.seen["usim"] == "invalid"
        net.expire(Timer.T3247)
        assert (net.emm.usim is Usim.KEEP) == (round_ == 0)
        net.emm.procedure = None


def test_csg_cause_without_protection_is_dropped() -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_connected()
    reject(net, 25, PLAIN)
    assert net.emm.procedure is Procedure.ATTACH


def test_unprotected_congestion_takes_a_random_back_off() -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_connected()
    reject(net, 22, PLAIN, t3346=11160.0)
    assert net.port.timers[Timer.T3346] == 1350


def test_esm_failure_with_back_off() -> None:
    net = Net()
    attach.start(net.emm)
    net.secure()
    inner = Message(T.PDN_CONNECTIVITY_REJECT, esm_cause=EsmCause.INSUFFICIENT_RESOURCES, back_off_timer=3600.0)
    reject(net, 19, CIPHERED, esm_message_container=encode(inner))
    assert net.port.seen["esm_cause"] is EsmCause.INSUFFICIENT_RESOURCES
    assert net.port.timers[Timer.T3396] == 3600
    net.dispatch.on_released()
    attach.start(net.emm)
    assert net.outcomes[-1] == (Procedure.ATTACH, "backed-off")
    net.expire(Timer.T3396)
    assert net.emm.procedure is Procedure.ATTACH


@pytest.mark.parametrize(
    ("cause", "pause"),
    [
        (EsmCause.OPERATOR_DETERMINED_BARRING, 720),
        (EsmCause.MISSING_OR_UNKNOWN_APN, 720),
        (EsmCause.SERVICE_OPTION_NOT_SUPPORTED, 720),
        (EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED, 720),
        (EsmCause.REQUEST_REJECTED_UNSPECIFIED, None),
    ],
)
def test_some_esm_causes_hold_for_12_minutes_though_no_back_off_came(cause: EsmCause, pause: int | None) -> None:
    # TS 24.301 6.5.1.4.3: of the other causes a UE may do as it likes; ours goes on as after any failed attempt.
    net = Net()
    attach.start(net.emm)
    net.secure()
    inner = Message(T.PDN_CONNECTIVITY_REJECT, esm_cause=cause)
    reject(net, 19, CIPHERED, esm_message_container=encode(inner))
    assert net.port.timers.get(Timer.T3396) == pause
    assert net.port.timers[Timer.T3411] == 10
    net.dispatch.on_released()
    net.expire(Timer.T3411)
    assert (net.emm.procedure is Procedure.ATTACH) is (pause is None)


def test_a_back_off_of_zero_is_none() -> None:
    net = Net()
    attach.start(net.emm)
    net.secure()
    cause = EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED
    inner = Message(T.PDN_CONNECTIVITY_REJECT, esm_cause=cause, back_off_timer=0.0)
    reject(net, 19, CIPHERED, esm_message_container=encode(inner))
    assert not net.emm.running(Timer.T3396)


def test_five_attempts_then_t3402() -> None:
    net = Net()
    attach.start(net.emm)
    for attempt in range(5):
        net.dispatch.on_connected()
        reject(net, EmmCause.NETWORK_FAILURE, PLAIN)
        net.dispatch.on_released()
        assert (Timer.T3411 in net.port.timers) == (attempt < 4)
        if attempt < 4:
            net.expire(Timer.T3411)
    assert net.port.timers[Timer.T3402] == 720
    assert net.emm.update_status is UpdateStatus.EU2_NOT_UPDATED
    net.expire(Timer.T3402)
    assert net.emm.procedure is Procedure.ATTACH
    assert net.emm.attach_attempts == 0


@pytest.mark.parametrize(
    ("told", "kind", "pause"),
    [(7200.0, CIPHERED, 7200.0), (DEACTIVATED, CIPHERED, 720.0), (7200.0, PLAIN, 720.0)],
)
def test_a_reject_may_tell_t3402_under_integrity_protection(
    told: float, kind: SecurityHeaderType, pause: float
) -> None:
    """5.3.6: a value in clear counts for nothing, and one that is deactivated is the default."""
    net = Net()
    attach.start(net.emm)
    net.secure() if kind is CIPHERED else net.dispatch.on_connected()
    net.emm.attach_attempts = 4
    reject(net, EmmCause.NETWORK_FAILURE, kind, t3402=told)
    assert net.port.timers[Timer.T3402] == pause


def test_no_answer() -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_connected()
    net.expire(Timer.T3410)
    assert net.port.releases == 1
    assert net.outcomes == [(Procedure.ATTACH, "no-answer")]
    assert net.port.timers[Timer.T3411] == 10


def test_protocol_errors_go_to_t3402_at_once() -> None:
    net = Net()
    attach.start(net.emm)
    net.secure()
    reject(net, 96, CIPHERED)
    assert Timer.T3402 in net.port.timers


def test_authentication_reject_makes_the_card_invalid() -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_connected()
    net.give(Message(T.AUTHENTICATION_REJECT), PLAIN)
    assert net.emm.usim is Usim.INVALID
    assert Timer.T3247 in net.port.timers
    assert net.outcomes == [(Procedure.ATTACH, "rejected")]


def test_illegal_me_until_power_off() -> None:
    net = Net()
    attach.start(net.emm)
    net.secure()
    reject(net, EmmCause.ILLEGAL_ME, CIPHERED)
    assert "EF.EPSNSC" in net.port.stored
    assert net.emm.guti is None
    card = net.emm.card
    net.emm.reset()
    assert card is not None
    net.emm.insert(card)
    assert net.emm.usim is Usim.KEEP


def test_replays_and_forgeries_change_nothing() -> None:
    net = Net().attached()
    assert net.security is not None
    pdu = net.security.protect(encode(Message(T.DETACH_REQUEST, detach_type=2, emm_cause=8)), CIPHERED)
    net.dispatch.on_nas(pdu[:1] + b"\0\0\0\0" + pdu[5:])
    net.give(Message(T.DETACH_REQUEST, detach_type=2, emm_cause=8), PLAIN)
    assert net.emm.state is EmmState.REGISTERED
    assert len(net.port.faults) == 2
    for octets in (b"", b"\x07", b"\x07\x42", b"\x27\0", b"\x57\0\0\0\0\0\0"):
        net.dispatch.on_nas(octets)
    assert net.emm.state is EmmState.REGISTERED


def test_service_request_and_its_reject() -> None:
    net = Net().attached().idle()
    service_request.start(net.emm)
    pdu, _, cause = net.port.sent[-1]
    assert cause is EstablishmentCause.MO_DATA
    assert net.security is not None
    net.security.verify_service_request(pdu)
    net.dispatch.on_connected()
    service_request.on_bearers_up(net.emm, (5,))
    assert net.outcomes[-1] == (Procedure.SERVICE_REQUEST, "accepted")
    net.idle()
    service_request.start(net.emm)
    net.dispatch.on_connected()
    net.give(Message(T.SERVICE_REJECT, emm_cause=EmmCause.IMPLICITLY_DETACHED), PLAIN)
    assert net.emm.state is EmmState.DEREGISTERED
    net.idle()
    assert net.emm.procedure is Procedure.ATTACH  # 5.6.1.5: #10 attaches anew
    assert net.port.sent[-1][0][0] == 0x17


def test_tracking_area_update_on_a_new_area() -> None:
    net = Net().attached().idle()
    on_camped(net.emm, OTHER_CELL)
    request = net.last()
    assert request["old_guti"] == GUTI
    assert request["last_visited_registered_tai"] == CELL.tai
    net.dispatch.on_connected()
    net.give(Message(T.TRACKING_AREA_UPDATE_ACCEPT, eps_update_result=0, tai_list=[CELL.tai, OTHER_CELL.tai]))
    assert net.outcomes[-1] == (Procedure.TRACKING_AREA_UPDATE, "accepted")
    net.idle()
    on_camped(net.emm, CELL)
    assert net.emm.procedure is None  # inside the list there is no update


@pytest.mark.parametrize("cause", sorted(REACTIONS[Procedure.TRACKING_AREA_UPDATE]))
def test_protected_update_rejects(cause: int) -> None:
    net = Net().attached().idle()
    net.emm.update_type = 0
    tracking_area_update.start(net.emm)
    net.last()
    net.dispatch.on_connected()
    more = {"t3346": 600.0} if cause == EmmCause.CONGESTION else {}
    net.give(Message(T.TRACKING_AREA_UPDATE_REJECT, emm_cause=cause, **more), CIPHERED)
    reaction = REACTIONS[Procedure.TRACKING_AREA_UPDATE][cause]
    assert net.outcomes[-1] == (Procedure.TRACKING_AREA_UPDATE, "rejected")
    assert (net.emm.state, net.emm.usim) == (reaction.state, reaction.usim)
    assert (net.emm.guti is None) == reaction.delete
    assert bool(net.emm.bearers) == reaction.state.registered


@pytest.mark.parametrize("cause", sorted(REACTIONS[Procedure.SERVICE_REQUEST]))
def test_protected_service_rejects(cause: int) -> None:
    net = Net().attached().idle()
    service_request.start(net.emm)
    assert net.security is not None
    net.security.verify_service_request(net.port.sent[-1][0])
    net.dispatch.on_connected()
    more = {"t3346": 600.0} if cause == EmmCause.CONGESTION else {}
    net.give(Message(T.SERVICE_REJECT, emm_cause=cause, **more), CIPHERED)
    reaction = REACTIONS[Procedure.SERVICE_REQUEST][cause]
    assert (net.emm.state, net.emm.usim) == (reaction.state, reaction.usim)


def test_detach_of_its_own() -> None:
    net = Net().attached()
    detach.start(net.emm)
    assert net.last()["detach_type"] == 1
    net.give(Message(T.DETACH_ACCEPT))
    assert net.emm.state is EmmState.DEREGISTERED
    assert net.port.stored[-2:] == ["EF.EPSLOCI", "EF.EPSNSC"]
    assert not net.emm.bearers


def test_switch_off() -> None:
    net = Net().attached()
    assert detach.switch_off(net.emm)
    assert net.last()["detach_type"] == 9
    assert net.emm.guti == GUTI  # it goes on the card


@pytest.mark.parametrize(
    ("kind", "cause", "state", "pending"),
    [
        (1, None, EmmState.DEREGISTERED, Procedure.ATTACH),
        (2, 8, EmmState.DEREGISTERED, None),
        (2, 12, EmmState.LIMITED_SERVICE, None),
        (2, None, EmmState.ATTEMPTING_TO_ATTACH, None),
        (3, 2, EmmState.REGISTERED, None),
    ],
)
def test_detach_by_the_network(kind: int, cause: int | None, state: EmmState, pending: Procedure | None) -> None:
    net = Net().attached()
    message = Message(T.DETACH_REQUEST, detach_type=kind)
    if cause is not None:
        message.fields["emm_cause"] = cause
    net.give(message)
    assert net.emm.state is state
    assert net.emm.pending is pending
    assert (net.emm.usim is Usim.INVALID) == (cause == 8)


def test_emergency_attach_passes_an_interlock() -> None:
    net = Net(voice=True)
    net.emm.interlocked = True
    attach.start(net.emm)
    assert net.outcomes == [(Procedure.ATTACH, "interlocked")]
    assert not net.port.sent
    attach.start_emergency(net.emm)
    assert net.port.sent[-1][2] is EstablishmentCause.EMERGENCY
    assert net.last()["eps_attach_type"] == 6


def test_emergency_attach_without_a_card() -> None:
    net = Net(voice=True)
    net.emm.card = None
    attach.start_emergency(net.emm)
    assert net.last()["eps_mobile_identity"] == (IdentityType.IMEI, IMEI.key + "0")


def test_access_refused_is_tried_again_after_t302() -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_access_refused(10)
    assert net.outcomes == [(Procedure.ATTACH, "barred")]
    assert net.port.timers == {Timer.T302: 10}
    net.expire(Timer.T302)
    assert net.emm.procedure is Procedure.ATTACH


def test_paging() -> None:
    net = Net().attached().idle()
    service_request.on_paging(net.emm)
    assert net.port.sent[-1][2] is EstablishmentCause.MT_ACCESS
    net = Net().attached().idle()
    service_request.on_imsi_paging(net.emm)
    assert net.last()["eps_mobile_identity"].type is IdentityType.IMSI


def test_last_bearer_gone() -> None:
    net = Net().attached()
    net.give(
        Message(
            T.DEACTIVATE_EPS_BEARER_CONTEXT_REQUEST, eps_bearer_identity=5, esm_cause=EsmCause.REACTIVATION_REQUESTED
        )
    )
    assert net.last().type is T.DEACTIVATE_EPS_BEARER_CONTEXT_ACCEPT
    net.idle()
    assert net.emm.procedure is Procedure.ATTACH


def test_terminal_that_does_not_honour_rejects() -> None:
    net = Net()
    net.emm.honours_rejects = False
    attach.start(net.emm)
    net.secure()
    reject(net, EmmCause.ILLEGAL_ME, CIPHERED)
    assert net.emm.usim is Usim.KEEP
    assert Timer.T3411 in net.port.timers


@pytest.mark.parametrize(
    "cause", [EmmCause.UE_IDENTITY_CANNOT_BE_DERIVED_BY_THE_NETWORK, EmmCause.IMPLICITLY_DETACHED, 40]
)
def test_a_rogue_attaches_on_a_cause_that_leads_to_service_and_keeps_what_it_knows(cause: int) -> None:
    net = Net().attached()
    net.emm.honours_rejects = False
    known = net.emm.guti, net.emm.security, list(net.emm.tai_list)
    net.idle()
    tracking_area_update.start(net.emm)
    net.give(Message(T.TRACKING_AREA_UPDATE_REJECT, emm_cause=cause), CIPHERED)
    assert (net.emm.guti, net.emm.security, net.emm.tai_list) == known
    net.idle()
    assert net.emm.procedure is Procedure.ATTACH
    assert net.last()["eps_mobile_identity"].guti == known[0]


def test_a_rogue_that_is_detached_attaches_again_with_what_it_knows() -> None:
    net = Net().attached()
    net.emm.honours_rejects = False
    known = net.emm.guti, net.emm.security
    net.give(Message(T.DETACH_REQUEST, detach_type=2, emm_cause=EmmCause.EPS_SERVICES_NOT_ALLOWED), CIPHERED)
    assert (net.emm.guti, net.emm.security, net.emm.usim) == (*known, Usim.KEEP)
    net.idle()
    assert net.emm.procedure is Procedure.ATTACH


def test_a_rogue_tries_to_update_for_ever() -> None:
    net = Net().attached()
    net.emm.honours_rejects = False
    for _ in range(8):
        net.idle()
        tracking_area_update.start(net.emm)
        net.give(Message(T.TRACKING_AREA_UPDATE_REJECT, emm_cause=EmmCause.TRACKING_AREA_NOT_ALLOWED), CIPHERED)
        assert Timer.T3411 in net.port.timers
    assert net.emm.forbidden_areas == set()


def test_a_rogue_tries_again_after_an_authentication_reject() -> None:
    net = Net()
    net.emm.honours_rejects = False
    attach.start(net.emm)
    net.give(Message(T.AUTHENTICATION_REJECT), PLAIN)
    assert net.emm.usim is Usim.KEEP
    assert Timer.T3411 in net.port.timers


@pytest.mark.parametrize("rogue", [True, False])
def test_only_a_rogue_takes_up_what_a_made_up_request_brings(rogue: bool) -> None:  # noqa: FBT001 - a case
    net = Net().attached()
    net.emm.honours_rejects = not rogue
    before = net.emm.guti
    assert before is not None
    given = replace(before, m_tmsi=before.m_tmsi ^ 1)
    net.give(Message(T.TRACKING_AREA_UPDATE_ACCEPT, eps_update_result=0, guti=given), CIPHERED)
    assert net.emm.guti == (given if rogue else before)


@pytest.mark.parametrize("rogue", [True, False])
def test_only_a_rogue_remembers_a_card_that_was_taken_out(rogue: bool) -> None:  # noqa: FBT001 - a case
    net = Net().attached()
    net.emm.honours_rejects = not rogue
    known = net.emm.guti, net.emm.security, list(net.emm.tai_list)
    card = net.emm.card
    assert card is not None
    net.emm.reset()
    net.emm.insert(card)  # the keys were not written to it
    assert ((net.emm.guti, net.emm.security, net.emm.tai_list) == known) is rogue


def test_deactivated_back_off_holds_until_power_off() -> None:
    net = Net()
    attach.start(net.emm)
    net.secure()
    inner = Message(T.PDN_CONNECTIVITY_REJECT, esm_cause=EsmCause.MISSING_OR_UNKNOWN_APN, back_off_timer=math.inf)
    reject(net, 19, CIPHERED, esm_message_container=encode(inner))
    assert Timer.T3396 not in net.port.timers
    assert net.emm.running(Timer.T3396)
    net.emm.reset()
    assert not net.emm.running(Timer.T3396)


def test_no_update_without_a_registration() -> None:
    net = Net().attached()
    detach.switch_off(net.emm)
    tracking_area_update.start(net.emm)
    assert net.outcomes[-1] == (Procedure.TRACKING_AREA_UPDATE, "not-registered")


def busy(generator: random.Random) -> Net:
    """Return a terminal with some procedure under way, and genuine security."""
    if generator.random() < 0.4:
        net = Net()
        attach.start(net.emm)
        net.secure()
    else:
        net = Net().attached()
        begin = generator.choice([service_request.start, tracking_area_update.start, detach.start, None])
        if begin is not None:
            net.idle()
            begin(net.emm)
            net.dispatch.on_connected()
    return net


@pytest.mark.parametrize("seed", range(150))
def test_a_network_that_knows_the_keys_and_talks_nonsense(seed: int) -> None:
    """Messages of every type with random content, under genuine protection, while timers run out as they like."""
    generator = random.Random(seed)
    net = busy(generator)
    assert net.security is not None
    for _ in range(12):
        kind = generator.choice(list(MessageType))
        head = b"\x52\x01" if kind.is_esm else b"\x07"
        pdu = head + bytes([kind & 0xFF]) + generator.randbytes(generator.randrange(25))
        net.dispatch.on_nas(net.security.protect(pdu, CIPHERED))
        if generator.random() < 0.2:
            net.dispatch.on_released()
        armed = sorted(net.port.timers, key=lambda timer: timer.name)
        if armed and generator.random() < 0.3:
            net.expire(generator.choice(armed))
    assert isinstance(net.emm.state, EmmState)


@pytest.mark.parametrize("cause", [12, 13, 15])
def test_lists_of_forbidden_tracking_areas_are_erased_within_a_day(cause: int) -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_nas(encode(Message(T.ATTACH_REJECT, emm_cause=cause)))
    assert CELL.tai in net.emm.forbidden_areas
    assert 43200 <= net.port.timers[Timer.FORBIDDEN_AREAS] <= 86400
    net.dispatch.on_released()
    sent = len(net.port.sent)
    net.dispatch.on_expiry(Timer.FORBIDDEN_AREAS)
    assert not net.emm.forbidden_areas
    assert len(net.port.sent) == sent + 1, "it tries again where it was refused"


def test_a_second_forbidden_area_does_not_put_the_erasure_off() -> None:
    net = Net()
    attach.start(net.emm)
    net.dispatch.on_nas(encode(Message(T.ATTACH_REJECT, emm_cause=12)))
    net.port.timers[Timer.FORBIDDEN_AREAS] = 1.0
    net.dispatch.on_released()
    on_camped(net.emm, OTHER_CELL)
    net.dispatch.on_nas(encode(Message(T.ATTACH_REJECT, emm_cause=12)))
    assert net.emm.forbidden_areas == {CELL.tai, OTHER_CELL.tai}
    assert net.port.timers[Timer.FORBIDDEN_AREAS] == 1.0
