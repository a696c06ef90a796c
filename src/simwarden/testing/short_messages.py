"""A scripted SMSC on SMPP: it takes what gateways submit, and hands them messages of cards and receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from simwarden.machine.smpp_session import Event, SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.machine.windowed_session import Answered, Asked, BindAsked, Closed, Fault, Limits
from simwarden.operations.element import Element
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.driven import Driven
from simwarden.wire.smpp import (
    RECEIPT,
    Address,
    Bind,
    Cancel,
    Command,
    MessageId,
    MessageState,
    Parameter,
    Receipt,
    ShortMessage,
    Tag,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.link import Link
    from simwarden.wire.smpp import Pdu


class _Bound:
    def __init__(self, smsc: ScriptedSmppSmsc, link: Link) -> None:
        self.smsc, self.link = smsc, link
        limits = Limits(window=smsc.window)
        self.session = SmppSession(Role.SMSC, smsc.site.clock.now(), limits=limits)
        self.driven: Driven[Event] = Driven(smsc.site, link, self.session, self.take)

    def take(self, event: Event) -> None:
        match event:
            case BindAsked(pdu, bind):
                self.link.know()
                self.smsc.binds.append(bind)
                self.session.accept(pdu, "smsc")
            case Asked(pdu):
                self.submitted(pdu)
            case Answered(_, answer):
                self.smsc.answered.append(None if answer is None else answer.status)
            case Fault(reason, data):
                self.smsc.site.peer_fault(self.link, reason, data)
            case Closed():
                self.smsc.bound.remove(self)

    def submitted(self, pdu: Pdu) -> None:
        body = pdu.body
        if self.smsc.silent:
            return
        if isinstance(body, Cancel):
            self.smsc.cancelled.append(body)
            self.session.answer(pdu, self.smsc.cancels.pop(0) if self.smsc.cancels else 0)
        if not isinstance(body, ShortMessage):
            return
        status = self.smsc.script(body)
        if status:
            self.session.answer(pdu, status)
            return
        self.smsc.got.append(body)
        self.smsc.references.append(pdu.parameter(Tag.USER_MESSAGE_REFERENCE))
        self.session.answer(pdu, 0, MessageId(f"c{len(self.smsc.got)}"))


class ScriptedSmppSmsc(Element[ElementConfig]):
    """An SMSC that takes all: `got` is what it took, whose ids are `c1`, `c2`...

    `script` says with which command_status a message is answered, `silent` lets none be. `deliver` hands a card's
    message to the gateway, `report` a receipt; `cancelled` is what it was to take back, `cancels` its next answers to
    that; `answered` are the statuses that came back, None for none in time.
    """

    declaration = Declaration(kind="smsc", title="SMSC", lane=80, config=ElementConfig, listens=("SMPP",))
    window: ClassVar[int] = 100
    silent = False
    script: Callable[[ShortMessage], int] = staticmethod(lambda _message: 0)

    async def start(self) -> None:
        """Listen."""
        self.bound: list[_Bound] = []
        self.binds: list[Bind] = []
        self.got: list[ShortMessage] = []
        self.references: list[bytes | None] = []
        self.cancelled: list[Cancel] = []
        self.cancels: list[int] = []
        self.answered: list[int | None] = []
        await self.site.listen("SMPP", lambda link: self.bound.append(_Bound(self, link)))

    async def stop(self) -> None:
        """Unbind."""
        for each in list(self.bound):
            each.session.unbind(self.site.clock.now())
            each.driven.settle()

    async def killed(self) -> None:
        """Lose power."""
        for each in self.bound:
            each.driven.drop("connection lost")

    def deliver(self, source: str, destination: str, text: bytes, **more: int) -> None:
        """Hand over a card's message; numbers with `+` are international ones."""
        self._ask(ShortMessage(source=_address(source), destination=_address(destination), short_message=text, **more))  # type: ignore[arg-type]  # of numbers

    def report(
        self, number: int, state: MessageState = MessageState.DELIVERED, error: str = "000", *more: Parameter
    ) -> None:
        """Hand over the receipt of a message that it took, by its place from 1."""
        about, now = self.got[number - 1], self.site.clock.wall()
        text = str(Receipt(f"c{number}", now, now, state, error, delivered=state is MessageState.DELIVERED))
        made = ShortMessage(
            source=about.destination, destination=about.source, esm_class=RECEIPT, short_message=text.encode()
        )
        self._ask(made, *more)

    def _ask(self, message: ShortMessage, *more: Parameter) -> None:
        bound = self.bound[0]
        bound.session.ask(Command.DELIVER_SM, message, self.site.clock.now(), *more)
        bound.driven.settle()


def _address(number: str) -> Address:
    return Address(number.removeprefix("+"), int(number.startswith("+")), 1)
