"""What telephones outside do by steps, and what is seen of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from simwarden.model.values import GIVEN, NUMBER, PARTY, TEXT, members, one_of
from simwarden.runtime.declare import HISTORY, Names, Observable, Seconds, VerbModel, verb
from simwarden.wire.q850 import CauseValue
from simwarden.wire.sip.enums import Status

if TYPE_CHECKING:
    from simulators.pstn.core import Core

_ENDS = ("released", "refused", "busy", "no-answer")


class PhoneVerb(VerbModel):
    """What a phone of the outside world does."""

    target = "pstn"
    pstn: Annotated[str, Names("pstn")]
    """The outside world (`pstn`)."""
    phone: str
    """The phone, by its name there."""


class CallNumber(PhoneVerb):
    """Have a phone call a number, and wait until it is settled whether the call stands."""

    to: str
    """The number, as it is dialled (`card.msisdn`)."""
    shown: str = ""
    """The number that From says, where it is not the phone's: a forged one."""
    asserted: str | None = None
    """The number that the network vouches for (P-Asserted-Identity); empty: none; by default the phone's."""
    withheld: bool = False
    """Whether the caller's number is withheld: From is anonymous, and Privacy says `id` (RFC 3323, 3325)."""
    gives_up: Annotated[Seconds, Field(gt=0)] = 90
    """How long the caller waits before hanging up."""
    talks: Seconds = 0.0
    """How long the call lasts before the caller hangs up; the step is over then. 0: until somebody hangs up."""


class DialDigits(PhoneVerb):
    """Send DTMF digits in the call of a phone."""

    digits: Annotated[str, Field(pattern=r"^[0-9*#A-D]{1,20}$"), BeforeValidator(str)]
    """The digits."""


class Phones:
    """Telephones."""

    observables = (
        Observable(
            "invited",
            "calls that came: whom they were for (`phone`: by name, empty for a number of nobody), whom they said they"
            " are from, whom the network vouched for, and what may be shown of that",
            fields={
                "called": PARTY.or_none(),
                "caller": PARTY.or_none(),
                "asserted": PARTY.or_none(),
                "privacy": one_of("id", "none"),
                "phone": GIVEN.or_none(),
                "times": NUMBER,
            },
            passing=HISTORY,
        ),
        Observable(
            "call",
            "the last call of a phone, by its name: with whom, how it stands or how it ended, and by which status of"
            " SIP and cause of Q.850",
            fields={
                "phone": GIVEN,
                "other": PARTY.or_none(),
                "direction": one_of("outgoing", "incoming"),
                "state": one_of("calling", "ringing", "connected", *_ENDS),
                "status": members(Status) | NUMBER,
                "cause": members(CauseValue) | NUMBER,
            },
            passing=HISTORY,
        ),
        Observable(
            "digits",
            "the DTMF digits (SIP INFO) that a phone has accepted in its last call with digits, in their order",
            fields={"phone": GIVEN, "other": PARTY.or_none(), "received": TEXT},
            passing=HISTORY,
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @verb("connected", *_ENDS)
    async def call(self, arguments: CallNumber) -> str:
        """Call a number: `connected`, `refused`, `busy`, `no-answer`, or `released` if it came to an end.

        `talks` has the caller hang up after a while; the step is over then, and the outcome `released`.
        """
        from simulators.pstn.core import Caller  # noqa: PLC0415 - checking files needs no codec

        core, number = self.core, self.core.named(arguments.phone).number
        asserted = number if arguments.asserted is None else arguments.asserted
        caller = Caller(arguments.shown or number, asserted, arguments.withheld)
        talk = core.call(arguments.phone, arguments.to, caller)
        call = core.standing(arguments.phone, "calling")
        core.hang_up_after(call, arguments.gives_up)
        outcome = await talk.settled
        if outcome != "connected" or not arguments.talks:
            return outcome
        core.hang_up_after(call, arguments.talks)
        return await talk.over

    @verb("connected", *_ENDS)
    async def answer(self, arguments: PhoneVerb) -> str:
        """Answer the call that a phone rings for: `connected`, or `released` if the caller was gone."""
        call = self.core.standing(arguments.phone, "ringing")
        talk = self.core.talks[call]
        self.core.pick_up(call)
        return await talk.settled

    @verb("accepted", "rejected", "released")
    async def dial(self, arguments: DialDigits) -> str:
        """Send DTMF digits in the call of a phone: `accepted`, `rejected`, or `released` if the call is over."""
        return await self.core.dial(self.core.standing(arguments.phone, "connected"), arguments.digits)

    @verb("released")
    async def hang_up(self, arguments: PhoneVerb) -> str:
        """End the call that a phone has; one that rings is refused: `released`."""
        self.core.hang_up(self.core.standing(arguments.phone, "calling", "ringing", "connected"))
        return "released"
