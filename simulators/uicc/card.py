"""The card, without I/O: octets of a command in, octets of a response out (TS 102.221, TS 31.102, TS 31.111).

Any octets give a response, never an exception. What is in files, PIN counters and sequence numbers is non-volatile: it
lives as long as the Card does, through resets and in whatever terminal.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from simulators.uicc.applet import Interlock
from simulators.uicc.authentication import SequenceNumbers, authenticate
from simulators.uicc.files import FileSystem, common_files
from simulators.uicc.messenger import Messenger
from simulators.uicc.pins import Pins
from simulators.uicc.status_error import StatusError
from simwarden.errors import PeerError
from simwarden.policy.interlock import card_serves_terminal
from simwarden.wire.apdu import tlv
from simwarden.wire.apdu.authenticate import CONTEXT_3G, parse_challenge
from simwarden.wire.apdu.cat import TerminalProfile
from simwarden.wire.apdu.coding import decode_imsi, encode_iccid
from simwarden.wire.apdu.command import PROPRIETARY_CLASS, CommandApdu, Ins, ResponseApdu
from simwarden.wire.apdu.contents import Bind, EpsNsc
from simwarden.wire.apdu.control import ATR, Control
from simwarden.wire.apdu.efs import AID_USIM, EF_AKA, EF_BIND, EF_EPSNSC, EF_ICCID, EF_IMSI, Access
from simwarden.wire.apdu.status import StatusWord, bytes_available, exact_length, proactive_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulators.uicc.config import AppletSms
    from simwarden.model.identity import Plmn
    from simwarden.wire.apdu.cat import ProactiveCommand

    Judge = Callable[[str, str, bool], bool]

#: commands whose P1 and P2 are 0 (TS 102.221 11.2)
_WITHOUT_PARAMETERS = frozenset(
    {Ins.TERMINAL_PROFILE, Ins.FETCH, Ins.TERMINAL_RESPONSE, Ins.ENVELOPE, Ins.TERMINAL_CAPABILITY}
)


def _by_the_rule(bound: str, seen: str, fail_open: bool) -> bool:  # noqa: FBT001 - the signature of a Judge
    return card_serves_terminal(bound=bound, seen=seen, fail_open=fail_open).admitted


def _pin_command(carry_out: Callable[[Pins, int, int, bytes], None]) -> Callable[[Card, CommandApdu], bytes]:
    """Return the handler of a command about a PIN, whose response has no data."""

    def handle(card: Card, command: CommandApdu) -> bytes:
        carry_out(card.pins, command.p1, command.p2, command.data)
        return b""

    return handle


class Issue(NamedTuple):
    """What the factory puts on a card before the operator personalises it."""

    home: Plmn
    iccid: str
    adm: str
    pin1: str = "1234"
    puk1: str = "12345678"
    pin1_enabled: bool = False
    provider: str = "simwarden"
    service_centre: str = ""
    language: str = "zh"

    def __repr__(self) -> str:
        """Show whose card it is, no key."""
        return f"Issue({self.home}, {self.iccid})"


class Card:
    """A UICC with a USIM. `judge(bound, seen, fail_open)` decides for the applet whether AUTHENTICATE is served."""

    __slots__ = ("_held", "applet", "files", "judge", "messenger", "numbers", "pins", "powered")

    def __init__(self, issue: Issue, judge: Judge = _by_the_rule, message: AppletSms | None = None) -> None:
        self.judge = judge
        self.pins = Pins(adm=issue.adm, pin1=issue.pin1, puk1=issue.puk1, pin1_enabled=issue.pin1_enabled)
        common = common_files(issue.home, issue.provider, issue.service_centre, issue.language)
        self.files = FileSystem(common, self.pins.may)
        self.files.put(EF_ICCID, encode_iccid(issue.iccid))
        self.numbers = SequenceNumbers()
        self.applet = Interlock()
        self.messenger = Messenger(message)
        self.powered = False
        self._held = b""

    # -- contacts

    def contact(self, control: Control) -> bytes:
        """Power, reset and answer to reset; what the card sends back, nothing after power-off."""
        if control is Control.ATR and self.powered:
            return ATR
        self.files.reset()
        self.pins.reset()
        self.applet.reset()
        self.messenger.reset()
        self._held = b""
        self._forget_keys()
        self.powered = control is not Control.POWER_OFF
        return ATR if self.powered else b""

    def _forget_keys(self) -> None:
        """Let no terminal find the keys of the one before, if the applet is on.

        With GUTI and keys a terminal attaches without AUTHENTICATE (TS 24.301 5.4.2.1), which is all that the applet
        guards. Its own terminal pays with an authentication at each power-on.
        """
        if self.applet_on:
            self.files.put(EF_EPSNSC, EpsNsc().to_bytes())

    def transmit(self, octets: bytes) -> bytes:
        """Answer a command APDU."""
        try:
            command = CommandApdu.parse(octets)
            response = self._answer(command)
        except PeerError as error:
            code = StatusWord.INCORRECT_DATA if error.code is None else error.code
            response = ResponseApdu(b"", code)
        return response.to_bytes()

    def _answer(self, command: CommandApdu) -> ResponseApdu:
        self._check_class(command)
        held, self._held = self._held, b""
        if command.ins == Ins.GET_RESPONSE:
            return self._hand_out(held, command)
        if command.ins in _WITHOUT_PARAMETERS and (command.p1 or command.p2):
            raise StatusError(StatusWord.INCORRECT_P1_P2)
        data = self._COMMANDS[command.ins](self, command)
        if not data:
            return self._end(b"")
        if command.le is None:
            self._held = data
            return ResponseApdu(b"", bytes_available(len(data)))
        return self._end(data[: command.le])

    def _check_class(self, command: CommandApdu) -> None:
        kind = command.cla >> 4
        if kind in (0x4, 0x5, 0x6, 0x7, 0xC, 0xD, 0xE) or (kind in (0x0, 0x8) and command.cla & 0x03):
            raise StatusError(StatusWord.LOGICAL_CHANNEL_NOT_SUPPORTED)
        if kind not in (0x0, 0x8):
            raise StatusError(StatusWord.CLASS_NOT_SUPPORTED)
        if command.cla & 0x0C:
            raise StatusError(StatusWord.SECURE_MESSAGING_NOT_SUPPORTED)
        if command.ins not in self._COMMANDS and command.ins != Ins.GET_RESPONSE:
            raise StatusError(StatusWord.INSTRUCTION_NOT_SUPPORTED)
        if (command.ins in PROPRIETARY_CLASS) != (kind == 0x8):
            raise StatusError(StatusWord.CLASS_NOT_SUPPORTED)

    def _hand_out(self, held: bytes, command: CommandApdu) -> ResponseApdu:
        """GET RESPONSE (TS 102.221 7.3.1.1): in pieces when less is asked for than waits."""
        if command.p1 or command.p2:
            raise StatusError(StatusWord.WRONG_P1_P2)
        if not held:
            raise StatusError(StatusWord.TECHNICAL_PROBLEM)
        le = command.le or 256
        if len(held) < le < 256:
            self._held = held
            raise StatusError(exact_length(len(held)))
        self._held = held[le:]
        if self._held:
            return ResponseApdu(held[:le], bytes_available(len(self._held)))
        return self._end(held)

    def _end(self, data: bytes) -> ResponseApdu:
        waiting = self._next
        if waiting is not None:
            return ResponseApdu(data, proactive_command(len(waiting.to_bytes())))
        return ResponseApdu(data, StatusWord.NORMAL_ENDING)

    # -- files

    def _select(self, command: CommandApdu) -> bytes:
        """SELECT (TS 102.221 11.1.1)."""
        self._check_select_parameters(command)
        data = command.data
        if command.p1 == 0x00:
            if len(data) not in (0, 2):
                raise StatusError(StatusWord.WRONG_LENGTH)
            self.files.select_fid(int.from_bytes(data, "big") if data else 0x3F00)
        elif command.p1 == 0x03:
            self.files.select_parent()
        elif command.p1 == 0x04:
            self.files.select_application(data)
            if command.p2 & 0x60 == 0x40:
                self.files.end_application()
        else:
            self.files.select_path(data, from_mf=command.p1 == 0x08)
        return self.files.describe(self.pins.status()) if command.p2 & 0x0C == 0x04 else b""

    def _check_select_parameters(self, command: CommandApdu) -> None:
        # P2: b4 b3 FCP (01) or nothing (11); b7 b6 application session, activation (00) or termination (10)
        if command.p1 not in (0x00, 0x03, 0x04, 0x08, 0x09) or command.p2 & 0x9F not in (0x04, 0x0C):
            raise StatusError(StatusWord.INCORRECT_P1_P2)
        if command.p2 & 0x60 not in (0x00, 0x40) or (command.p2 & 0x60 and command.p1 != 0x04):
            raise StatusError(StatusWord.INCORRECT_P1_P2)

    def _status(self, command: CommandApdu) -> bytes:
        """STATUS (TS 102.221 11.1.2)."""
        if command.p1 > 0x02 or command.p2 not in (0x00, 0x01, 0x0C):
            raise StatusError(StatusWord.INCORRECT_P1_P2)
        if command.p2 == 0x0C:
            return b""
        if command.p2 == 0x01:
            data = tlv.tlv(0x84, AID_USIM) if self.files.adf_active else b""
        else:
            data = self.files.describe(self.pins.status(), directory=True)
        if data and command.le is not None and len(data) < command.le < 256:
            raise StatusError(exact_length(len(data)))
        return data

    def _read_binary(self, command: CommandApdu) -> bytes:
        return self.files.read_binary(*_place(command), _case2(command))

    def _update_binary(self, command: CommandApdu) -> bytes:
        self.files.update_binary(*_place(command), command.data)
        return b""

    def _read_record(self, command: CommandApdu) -> bytes:
        sfi, mode = command.p2 >> 3, command.p2 & 0x07
        return self.files.read_record(sfi, command.p1, mode, _case2(command))

    def _update_record(self, command: CommandApdu) -> bytes:
        self.files.update_record(command.p2 >> 3, command.p1, command.p2 & 0x07, command.data)
        return b""

    # -- security

    def _authenticate(self, command: CommandApdu) -> bytes:
        """AUTHENTICATE (TS 31.102 7.1): the USIM must be selected, PIN1 verified, and the interlock must agree."""
        if command.p1 or not command.p2 & 0x80:
            raise StatusError(StatusWord.INCORRECT_P1_P2)
        if command.p2 != CONTEXT_3G:
            raise StatusError(StatusWord.SECURITY_CONTEXT_NOT_SUPPORTED)
        if not self.files.in_adf:
            raise StatusError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        rand, autn = parse_challenge(command.data)
        if not self.pins.may(Access.PIN1):
            raise StatusError(StatusWord.SECURITY_STATUS_NOT_SATISFIED)
        self._interlock()
        return authenticate(self.files.content(EF_AKA), rand, autn, self.numbers).to_bytes()

    def _interlock(self) -> None:
        """Refuse with 69 85 where the applet must.

        69 85 is what TS 31.102 7.3.2 lets AUTHENTICATE say when the card could and will not: 69 82 asks for a PIN and
        69 83 says that one is blocked; 98 62 and 98 64 blame the network, so that the terminal would send it an
        AUTHENTICATION FAILURE.
        """
        try:
            bind = self.bind
        except PeerError as error:  # an area that is damaged is no reason to serve
            raise StatusError(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED) from error
        if bind.applet and bind.imei_key and not self.judge(bind.imei_key, self.applet.seen, bind.fail_open):
            raise StatusError(StatusWord.CONDITIONS_OF_USE_NOT_SATISFIED)

    # -- toolkit

    def _terminal_profile(self, command: CommandApdu) -> bytes:
        """TERMINAL PROFILE (TS 102.221 11.2.1)."""
        if not command.data:
            raise StatusError(StatusWord.WRONG_LENGTH)
        self.messenger.reset()
        if self.applet_on:
            self.applet.on_profile(TerminalProfile.parse(command.data))
        return b""

    def _fetch(self, command: CommandApdu) -> bytes:
        """FETCH (TS 102.221 11.2.3)."""
        waiting = self._next
        if waiting is None:
            raise StatusError(StatusWord.TECHNICAL_PROBLEM)
        data = waiting.to_bytes()
        if command.le not in (len(data), 256):
            raise StatusError(exact_length(len(data)))
        (self.applet if waiting is self.applet.waiting else self.messenger).fetch()
        return data

    def _terminal_response(self, command: CommandApdu) -> bytes:
        """TERMINAL RESPONSE (TS 102.221 11.2.4)."""
        (self.messenger if self.messenger.open else self.applet).on_response(command.data)
        return b""

    @property
    def _next(self) -> ProactiveCommand | None:
        """The proactive command that waits; none while the terminal is at work for one (TS 102.223 4.2)."""
        return None if self.messenger.open else self.applet.waiting or self.messenger.waiting

    def _envelope(self, command: CommandApdu) -> bytes:
        """ENVELOPE (TS 102.221 11.2.2): an applet may listen to it; else it is taken, which is no error."""
        self.messenger.on_envelope(command.data)
        return b""

    _COMMANDS: ClassVar[dict[int, Callable[[Card, CommandApdu], bytes]]] = {
        Ins.SELECT: _select,
        Ins.STATUS: _status,
        Ins.READ_BINARY: _read_binary,
        Ins.UPDATE_BINARY: _update_binary,
        Ins.READ_RECORD: _read_record,
        Ins.UPDATE_RECORD: _update_record,
        Ins.VERIFY_PIN: _pin_command(Pins.verify),
        Ins.CHANGE_PIN: _pin_command(Pins.change),
        Ins.DISABLE_PIN: _pin_command(Pins.disable),
        Ins.ENABLE_PIN: _pin_command(Pins.enable),
        Ins.UNBLOCK_PIN: _pin_command(Pins.unblock),
        Ins.AUTHENTICATE: _authenticate,
        Ins.TERMINAL_PROFILE: _terminal_profile,
        Ins.FETCH: _fetch,
        Ins.TERMINAL_RESPONSE: _terminal_response,
        Ins.ENVELOPE: _envelope,
        Ins.TERMINAL_CAPABILITY: lambda _card, _command: b"",  # nothing on this card listens to it, which is no error
    }

    # -- what the card's owner may do with it, and know of it

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Give remote file management a session of its own; what the terminal has selected and verified stays."""
        before = self.files.selection, self.pins.verified, self._held, self.applet, self.messenger
        self.files.reset()
        self.pins.reset()
        self.applet, self.messenger, self._held = Interlock(), Messenger(), b""
        try:
            yield
        finally:
            self.files.selection, self.pins.verified, self._held, self.applet, self.messenger = before

    @property
    def waiting(self) -> bytes:
        """Response data that waits for GET RESPONSE."""
        return self._held

    @property
    def bind(self) -> Bind:
        """The interlock's area. Raises PeerError when what was written there makes no sense."""
        return Bind.parse(self.files.content(EF_BIND))

    @property
    def applet_on(self) -> bool:
        """The applet is active (flag 02 of EF.BIND)."""
        return bool(self.files.content(EF_BIND)[0] & 0x02)

    @property
    def imsi(self) -> str:
        """The IMSI, empty before personalisation."""
        try:
            return decode_imsi(self.files.content(EF_IMSI))
        except PeerError:
            return ""

    def __repr__(self) -> str:
        """Show whose card it is, nothing of what is on it."""
        return f"<card {self.imsi or 'not personalised'}>"


def _place(command: CommandApdu) -> tuple[int, int]:
    """Return SFI (0: the selected file) and offset of READ BINARY and UPDATE BINARY."""
    if not command.p1 & 0x80:
        return 0, command.p1 << 8 | command.p2
    if command.p1 & 0x60 or not command.p1 & 0x1F:
        raise StatusError(StatusWord.INCORRECT_P1_P2)
    return command.p1 & 0x1F, command.p2


def _case2(command: CommandApdu) -> int | None:
    if command.data:
        raise StatusError(StatusWord.WRONG_LENGTH)
    return command.le
