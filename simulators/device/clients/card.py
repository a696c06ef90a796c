"""The terminal's side of the contacts: what it reads, asks and writes (TS 102.221, TS 31.102)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from simwarden.errors import PeerError, SimwardenError
from simwarden.model.identity import Plmn
from simwarden.wire.apdu import cat, efs, tlv
from simwarden.wire.apdu.authenticate import AuthenticateResponse, authenticate_command
from simwarden.wire.apdu.coding import decode_imsi, decode_plmn_list
from simwarden.wire.apdu.command import CommandApdu, Ins, ResponseApdu, again_with
from simwarden.wire.apdu.contents import AdministrativeData, Application, Bind, EpsLoci, EpsNsc, SmsParameters
from simwarden.wire.apdu.control import Control, insertion, is_atr
from simwarden.wire.apdu.status import StatusWord
from simwarden.wire.sms import encode_rp_address

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from simulators.device.terminal import Terminal
    from simwarden.model.form import Slot
    from simwarden.runtime.link import Link
    from simwarden.runtime.site import Site
    from simwarden.wire.sms import Address

T = TypeVar("T")
_PATIENCE = 5.0
"""Seconds after which a conversation with a card that does not answer is given up (waiting time of T=0, generously)."""
_PATIENCE_IN_ROUNDS = 32
"""Responses fetched, and toolkit commands served, after one command."""
_NO_DATA, _PIN1 = 0x0C, 0x01
#: SMS-PP download, and the device identities of network and UICC (TS 101.220 7.2, TS 102.223 8.7)
_PP_DOWNLOAD, _NETWORK, _UICC = 0xD1, 0x83, 0x81


class CardGoneError(SimwardenError):
    """The card was taken out, does not fit, is dead, or will not let itself be read."""


class CardData(NamedTuple):
    """What a terminal reads at power-on."""

    imsi: str
    home: Plmn
    location: EpsLoci
    context: EpsNsc
    forbidden_plmns: list[Plmn]
    bind: Bind
    service_centre: str = ""


class CardSession:
    """The contacts to one card. One command at a time; toolkit commands of the card are served in between."""

    __slots__ = (
        "_answer",
        "_lock",
        "_unwritten",
        "gone",
        "link",
        "send_short_message",
        "site",
        "terminal",
        "unreadable",
        "writing",
        "written",
    )

    def __init__(self, site: Site, link: Link, terminal: Terminal) -> None:
        self.site, self.link, self.terminal = site, link, terminal
        self.gone = ""
        #: takes a message that the card wants sent (SEND SHORT MESSAGE), and answers it when it is over
        self.send_short_message: Callable[[cat.ProactiveCommand], None] | None = None
        #: what this terminal wrote last, by file identifier, so that nothing is written twice
        self.written: dict[int, bytes] = {}
        #: what is wrong with files that terminals keep on the card, found at the last start
        self.unreadable: list[str] = []
        #: files that have changed, and the task that writes them
        self._unwritten: list[Callable[[], tuple[efs.Ef, bytes]]] = []
        self.writing: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._lock = asyncio.Lock()
        link.on_receive = self._receive

    def _receive(self, data: bytes, _stream: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(data)

    def lost(self, reason: str) -> None:
        """Be told that the card has gone."""
        self.gone = reason
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(CardGoneError(reason))

    async def _exchange(self, message: bytes) -> bytes:
        if self.gone or not self.link.up:
            raise CardGoneError(self.gone or "no contact")
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self.link.send(message)
        return await answer

    @staticmethod
    async def _patiently(work: Coroutine[Any, Any, T]) -> T:
        # One clock for a whole conversation: a timer for each of its commands would cost as much as the commands.
        try:
            async with asyncio.timeout(_PATIENCE):
                return await work
        except TimeoutError:
            raise CardGoneError("the card does not answer") from None

    async def put_in(self, slot: Slot) -> None:
        """Put the card into the slot. Raises CardGoneError if it does not fit or cannot leave where it is."""
        await self.say(insertion(slot))

    async def reset(self, control: Control) -> None:
        """Power on or reset, and check the answer to reset. Raises CardGoneError, PeerError."""
        answer = await self.say(control.message())
        if not is_atr(answer):
            raise PeerError(f"no answer to reset: {answer.hex()}")

    def power_off(self) -> None:
        """Take the power away."""
        self.written.clear()
        if not self.gone:
            self.link.send(Control.POWER_OFF.message())

    async def command(self, command: CommandApdu) -> ResponseApdu:
        """Send a command and return its last response; serves the card's toolkit commands. Raises as `reset` does."""
        async with self._lock:
            response = await self._transmit(command)
            waiting = response
            for _ in range(_PATIENCE_IN_ROUNDS):
                if waiting.sw >> 8 != 0x91:
                    return response
                waiting = await self._serve_toolkit(waiting.sw & 0xFF)
        raise PeerError("the card has no end of toolkit commands")

    async def say(self, octets: bytes) -> bytes:
        """Send octets as they are, whatever they mean to the card; return its answer. Raises CardGoneError."""
        async with self._lock:
            return await self._patiently(self._exchange(octets))

    async def _transmit(self, command: CommandApdu) -> ResponseApdu:
        response = ResponseApdu.parse(await self._exchange(command.to_bytes()))
        for _ in range(_PATIENCE_IN_ROUNDS):
            following = again_with(command, response.sw)
            if following is None:
                return response
            command = following
            response = ResponseApdu.parse(await self._exchange(following.to_bytes()))
        raise PeerError("the card has no end of responses")

    async def _serve_toolkit(self, size: int) -> ResponseApdu:
        fetched = await self._transmit(cat.fetch(size))
        command = cat.ProactiveCommand.parse(fetched.data)
        if command.kind == cat.CommandType.SEND_SHORT_MESSAGE and self.send_short_message is not None:
            self.send_short_message(command)  # which may need the card for an authentication, before its response
            return fetched
        if self.terminal.gives_imeisv_to_card:
            response = cat.answer(command, self.terminal.card)
        else:
            details = (command.number, command.kind, command.qualifier)
            response = cat.TerminalResponse(*details, cat.Result.BEYOND_CAPABILITIES)
        return await self._transmit(response.command())

    # -- what is read at power-on

    async def start(self, pin: str) -> CardData:
        """Select the USIM, pass its PIN, read what EMM needs and offer the toolkit. Raises CardGoneError, PeerError."""
        return await self._patiently(self._start(pin))

    async def _start(self, pin: str) -> CardData:
        self.unreadable.clear()
        entry = await self._record(efs.EF_DIR)
        aid = Application.parse(entry).aid if entry else efs.AID_USIM_PREFIX
        selected = await self.command(CommandApdu(0x00, Ins.SELECT, 0x04, _NO_DATA, aid))
        if not selected.ok:
            raise CardGoneError(f"no USIM on the card: {selected.text}")
        imsi = await self._identity(pin)
        mnc_length = AdministrativeData.parse(await self._binary(efs.EF_AD)).mnc_length
        data = CardData(
            imsi,
            Plmn.parse(imsi[: 3 + mnc_length]),
            self._kept(EpsLoci.parse, await self._binary(efs.EF_EPSLOCI), EpsLoci()),
            self._kept(EpsNsc.parse, await self._record(efs.EF_EPSNSC), EpsNsc()),
            decode_plmn_list(await self._binary(efs.EF_FPLMN)),
            await self._bind(),
            await self._service_centre() if self.terminal.short_messages else "",
        )
        if not self.unreadable:
            self.written[efs.EF_EPSNSC.fid] = data.context.to_bytes()
        await self.command(self._profile())
        return data

    def _kept(self, parse: Callable[[bytes], T], octets: bytes, nothing: T) -> T:
        """Read what an earlier terminal left on the card; what it spoiled counts as never written."""
        try:
            return parse(octets)
        except PeerError as error:
            self.unreadable.append(error.reason)
            return nothing

    def _profile(self) -> CommandApdu:
        able = self.terminal.gives_imeisv_to_card
        return cat.TerminalProfile(able, able, short_messages=self.send_short_message is not None).command()

    async def _identity(self, pin: str) -> str:
        response = await self.command(_read_binary(efs.EF_IMSI))
        if response.sw == StatusWord.SECURITY_STATUS_NOT_SATISFIED and pin:
            body = pin.encode("ascii").ljust(8, b"\xff")
            verified = await self.command(CommandApdu(0x00, Ins.VERIFY_PIN, 0x00, _PIN1, body))
            if not verified.ok:
                raise CardGoneError(f"the card refuses the PIN: {verified.text}")
            response = await self.command(_read_binary(efs.EF_IMSI))
        if not response.ok:
            raise CardGoneError(f"the card does not give its IMSI: {response.text}")
        return decode_imsi(response.data)

    async def _bind(self) -> Bind:
        """Read the interlock's area; a card without one is bound to nothing."""
        selected = await self.command(CommandApdu(0x00, Ins.SELECT, 0x00, _NO_DATA, efs.EF_BIND.fid.to_bytes(2)))
        if selected.sw == StatusWord.FILE_NOT_FOUND:
            return Bind()
        response = await self.command(CommandApdu(0x00, Ins.READ_BINARY, 0, 0, le=efs.EF_BIND.size))
        return Bind.parse(response.data)

    async def _service_centre(self) -> str:
        """Read to which service centre messages go (EF.SMSP, which has no short identifier)."""
        selected = await self.command(CommandApdu(0x00, Ins.SELECT, 0x00, _NO_DATA, efs.EF_SMSP.fid.to_bytes(2)))
        if not selected.ok:
            return ""
        response = await self.command(CommandApdu(0x00, Ins.READ_RECORD, 1, 4, le=efs.EF_SMSP.size))
        return self._kept(SmsParameters.parse, response.data, SmsParameters()).service_centre

    async def _binary(self, ef: efs.Ef) -> bytes:
        response = await self.command(_read_binary(ef))
        if not response.ok:
            raise PeerError(f"{ef.name} cannot be read: {response.text}")
        return response.data

    async def _record(self, ef: efs.Ef) -> bytes:
        response = await self.command(CommandApdu(0x00, Ins.READ_RECORD, 1, ef.sfi << 3 | 4, le=ef.size))
        return response.data if response.ok else b""

    # -- what is asked and written later

    async def authenticate(self, rand: bytes, autn: bytes) -> AuthenticateResponse | int:
        """Return the card's answer to a challenge, or the status word with which it refuses."""
        response = await self._patiently(self.command(authenticate_command(rand, autn)))
        return AuthenticateResponse.parse(response.data) if response.ok and response.data else response.sw

    async def download(self, centre: Address, tpdu: bytes) -> bool:
        """Hand a message for the card over (ENVELOPE, TS 31.111 7.1.1); whether it has taken it."""
        identities = tlv.tlv(0x82, bytes((_NETWORK, _UICC)))
        inside = identities + tlv.tlv(0x06, encode_rp_address(centre)[1:]) + tlv.tlv(0x8B, tpdu)
        response = await self._patiently(
            self.command(CommandApdu(0x80, Ins.ENVELOPE, 0, 0, tlv.tlv(_PP_DOWNLOAD, inside)))
        )
        return response.ok

    async def status(self) -> None:
        """Ask whether the card is still there (TS 102.221 14.5.2). Raises CardGoneError."""
        await self._patiently(self.command(CommandApdu(0x80, Ins.STATUS, 0x00, _NO_DATA)))

    async def write(self, ef: efs.Ef, octets: bytes) -> None:
        """Update a file, unless this terminal wrote the same before. Raises CardGoneError, PeerError."""
        if self.written.get(ef.fid) == octets:
            return
        if ef.records:
            command = CommandApdu(0x00, Ins.UPDATE_RECORD, 1, ef.sfi << 3 | 4, octets)
        else:
            command = CommandApdu(0x00, Ins.UPDATE_BINARY, 0x80 | ef.sfi, 0, octets)
        response = await self._patiently(self.command(command))
        if not response.ok:
            raise PeerError(f"{ef.name} cannot be written: {response.text}")
        self.written[ef.fid] = octets

    def store(self, content: Callable[[], tuple[efs.Ef, bytes]]) -> None:
        """Write a file in the background, as it is when its turn comes."""
        if content not in self._unwritten:
            self._unwritten.append(content)
            if self.writing is None:
                self.writing = self.site.spawn(self._write_all(), "writing to the card")

    async def _write_all(self) -> None:
        try:
            while self._unwritten and not self.gone:
                await self.write(*self._unwritten.pop(0)())
        except CardGoneError as error:
            self.site.note(f"the card cannot be written: {error}")
        except PeerError as error:
            self.site.peer_fault(self.link, error.reason)
        finally:
            self._unwritten.clear()
            self.writing = None


def _read_binary(ef: efs.Ef) -> CommandApdu:
    return CommandApdu(0x00, Ins.READ_BINARY, 0x80 | ef.sfi, 0, le=ef.size)
