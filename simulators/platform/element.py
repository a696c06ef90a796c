"""A customer's platform as an element: it binds at the gateway, sends, and shows what comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from simulators.platform.config import PlatformConfig
from simulators.platform.controls import CODE, DELIVER
from simwarden.errors import ManagementError
from simwarden.model.values import ACCESS_CODE, MSISDN, NUMBER, TEXT, one_of
from simwarden.operations.element import Element
from simwarden.policy.numbers import known_code, party
from simwarden.runtime.declare import HISTORY, Declaration, Names, Observable, VerbModel, verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.platform.clients.connection import Connection
    from simulators.platform.contexts import Incoming, Outcome, Outgoing, Reported

_RECEIPTS = ("DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "ENROUTE")


#: how often the pause between two tries to bind is doubled
_SLOWEST = 5


class PlatformVerb(VerbModel):
    """What a platform does."""

    shorthand = "platform"
    target = "platform"
    platform: Annotated[str, Names("platform")]
    """The platform."""


class SubmitMessage(PlatformVerb):
    """Send a message to a card, as long as it may be, and wait for the gateway's answers."""

    shorthand = ""
    to: str
    """The number that it goes to (`card.msisdn`)."""
    text: str = ""
    """What it says; more than one message holds goes in parts."""
    octets: str = ""
    """Octets in hexadecimal digits in place of a text."""
    code: str = ""
    """The code, or anything else, that it says it is from; empty: the platform's own."""
    source_ton: Annotated[int, Field(ge=-1, le=6)] = -1
    """The type of number of the code (SMPP 3.4 5.2.5); -1: as it is written."""
    data_coding: int = -1
    """Its data coding; -1: as the text needs."""
    protocol_id: int = 0
    """Its protocol identifier."""
    header: str = ""
    """A user data header in hexadecimal digits, with its length, before each part."""
    receipt: bool | Literal["failure"] = True
    """Whether a receipt is wanted; `failure`: of a message that does not arrive (SMPP alone has that)."""
    validity: Annotated[str, Field(pattern=r"^[!-~]{0,16}$")] = ""
    """Until when it is good (SMPP 3.4 7.1.1: `000000010000000R` for an hour); empty: as long as it is kept there."""

    schedule: Annotated[str, Field(pattern=r"^[!-~]{0,16}$")] = ""
    """Scheduled delivery time, in the form of `validity`; by default none."""

    @field_validator("octets", "header")
    @classmethod
    def _is_hexadecimal(cls, value: str) -> str:
        return bytes.fromhex(value).hex()


class Platform(Element[PlatformConfig]):
    """A customer's platform."""

    declaration = Declaration(
        kind="platform",
        title="Customer's platform",
        lane=89,
        config=PlatformConfig,
        standing=False,
        starts_after=("sms_gateway", "smsc"),
        calls=("SMPP", "CMPP"),
        observables=(
            Observable("bind", "how its bind at the gateway is", one_of("bound", "refused", "unbound")),
            Observable(
                "submit_message",
                "how its last message was answered",
                one_of("accepted", "refused", "unanswered", "unbound"),
                passing=HISTORY,
            ),
            Observable(
                "message",
                "a message of a card that came, whole, in the order in which they came (key: its number from 1)",
                fields={"sender": MSISDN.or_none(), "code": ACCESS_CODE, "text": TEXT},
                passing=HISTORY,
            ),
            Observable(
                "receipt",
                "what became of a message that it sent, by its id at the gateway",
                fields={"id": TEXT, "state": one_of(*_RECEIPTS), "error": NUMBER.or_none()},
                passing=HISTORY,
            ),
        ),
        controls=(CODE,),
    )

    async def start(self) -> None:
        """Bind, if it does so by itself."""
        from simulators.platform.clients.cmpp import CmppGateway  # noqa: PLC0415 - checking files needs no codec
        from simulators.platform.clients.smpp import SmppGateway  # noqa: PLC0415 - as above
        from simulators.platform.contexts import Parts  # noqa: PLC0415 - as above

        made = SmppGateway if self.config.protocol == "smpp" else CmppGateway
        self._gateway: Connection[Any] = made(self.site, self.config, self._hear, self._lost)
        self._wanted, self._stands, self._failed = self.config.at_start, False, 0
        self._long, self._came, self._reference = Parts(), 0, 0
        if self._wanted:
            await self._bind()

    async def stop(self) -> None:
        """Unbind."""
        self._wanted = False
        self._gateway.end(say=True)
        await self.site.clock.settle()
        self._gateway.end(say=False)

    async def killed(self) -> None:
        """Lose power."""
        self._wanted = False
        self._gateway.end(say=False)

    # -- what a step says

    @verb("bound", "refused", "unanswered", "unreachable")
    async def bind_platform(self, wanted: PlatformVerb) -> str:
        """Bind at the gateway; one that is bound stays so."""
        del wanted
        if self._gateway.bound:
            return "bound"
        self._wanted = True
        return await self._bind()

    @verb()
    async def unbind_platform(self, wanted: PlatformVerb) -> None:
        """Unbind, until a step says otherwise."""
        del wanted
        self._wanted = False
        self._gateway.end(say=True)
        await self.site.clock.settle()

    @verb("accepted", "refused", "unanswered")
    async def submit_message(self, wanted: SubmitMessage) -> str:
        """Send a message; it is accepted if the gateway takes all parts of it, and refused if it refuses one."""
        if not self._gateway.bound:
            self.site.observe("submit_message", "unbound")
            raise ManagementError(409, f"{self.site.name} is not bound")
        word = _outcome(await asyncio.gather(*(self._gateway.submit(each) for each in self._made(wanted))))
        self.site.observe("submit_message", word)
        return word

    def _made(self, wanted: SubmitMessage) -> Sequence[Outgoing]:
        from simulators.platform.contexts import Outgoing  # noqa: PLC0415 - as above
        from simwarden.wire import sms  # noqa: PLC0415 - as above

        coding = wanted.data_coding if wanted.data_coding >= 0 else self._coding(wanted.text)
        octets = bytes.fromhex(wanted.octets) or sms.octets_for(wanted.text, coding)
        code = wanted.code or self.config.code
        header = bytes.fromhex(wanted.header)
        parts = [octets]
        headers = [header]
        if not header and len(sms.parts_of(octets, coding, 0)) > 1:
            self._reference = self._reference % 255 + 1
            parts = list(sms.parts_of(octets, coding, 6))
            numbers = range(1, len(parts) + 1)
            elements = [sms.Concatenation(self._reference, len(parts), number).element for number in numbers]
            headers = [sms.encode_header([each]) for each in elements]
        ton = 0 if code.removeprefix("+").isdigit() else 5
        whole = Outgoing(
            code,
            ton if wanted.source_ton < 0 else wanted.source_ton,
            wanted.to,
            data_coding=coding,
            protocol_id=wanted.protocol_id,
            registered=2 if wanted.receipt == "failure" else int(wanted.receipt),
            validity=wanted.validity,
            schedule=wanted.schedule,
        )
        if self.config.protocol == "cmpp" and coding == 0 and not wanted.octets:
            parts = [sms.from_septets(each).encode("ascii", "replace") for each in parts]  # Msg_Fmt 0 (7.4.3.1)
        pairs = zip(headers, parts, strict=True)
        return [whole._replace(octets=head + part, udhi=bool(head)) for head, part in pairs]

    def _coding(self, text: str) -> int:
        """Return the data coding of a text: the default alphabet, of which CMPP has what is ASCII too, else UCS2."""
        from simwarden.wire import sms  # noqa: PLC0415 - as above

        return sms.scheme_for(text) if self.config.protocol == "smpp" or text.isascii() else sms.UCS2_CODING

    # -- its bind

    async def _bind(self) -> str:
        try:
            status = await self._gateway.open()
        except ConnectionError as error:
            if not self._failed:
                self.site.note(f"no connection to the gateway: {error}")
            self._later()
            return "unreachable"
        if status:
            self._wanted = False
            self._gateway.end(say=False)
        if status is None:
            return "unanswered"
        word = "refused" if status else "bound"
        self._stands, self._failed = not status, 0
        self.site.observe("bind", word)
        return word

    def _lost(self) -> None:
        if self._stands:
            self._stands = False
            self.site.observe("bind", "unbound")
        self._later()

    def _later(self) -> None:
        """Bind again, at first soon."""
        if self._wanted:
            pause = self.config.retry * 2 ** min(self._failed, _SLOWEST)
            if self._failed <= _SLOWEST:
                self.site.note(f"the next try to bind is in {pause:g} s")
            self.site.clock.call_later(pause, self._again)
            self._failed += 1

    def _again(self) -> None:
        if self._wanted and not self._gateway.bound:
            self.site.spawn(self._bind_again(), "bind at the gateway")

    async def _bind_again(self) -> None:
        await self._bind()

    # -- what comes

    def _hear(self, came: Incoming | Reported) -> bool:
        """Take a receipt, or a card's message; return whether it is for this platform."""
        from simulators.platform.contexts import Reported  # noqa: PLC0415 - as above
        from simwarden.wire import sms  # noqa: PLC0415 - as above

        if isinstance(came, Reported):
            self.site.observe("receipt", came._asdict(), key=came.id)
            return True
        if self.config.code and not self._own(came.code):
            return False
        part = sms.concatenation_of(came.header)
        text: Any = came.text if part is None else self._long.add(came, part)
        if text is not None:
            self._came += 1
            shown = {"sender": _shown(came.sender), "code": _shown(came.code), "text": text}
            self.site.observe("message", shown, key=str(self._came))
        return True

    def _own(self, code: str) -> bool:
        if not code.strip():  # for nobody
            return False
        own = party(self.config.code)
        return self.site.decide(CODE, on=DELIVER, code=own, number=known_code(code, 0, {own})).admitted


def _shown(number: str) -> str:
    """Return a number as it is shown; a card that has none sends none."""
    return str(party(number)) if number.strip() else ""


def _outcome(outcomes: Sequence[Outcome]) -> str:
    if any(each.status for each in outcomes):
        return "refused"
    return "unanswered" if any(each.status is None for each in outcomes) else "accepted"
