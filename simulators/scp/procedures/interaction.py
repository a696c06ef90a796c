"""What parties hear and dial before a call is connected (TS 23.078 4.3.6): it is not answered, and costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.scp import causes, controls
from simulators.scp.call import State
from simulators.scp.clients.ssp import order, release
from simwarden.wire import cap

if TYPE_CHECKING:
    from simulators.scp.call import Call, Heard
    from simulators.scp.causes import Refusal
    from simulators.scp.clients.ssp import Order
    from simulators.scp.core import Core
    from simwarden.wire.tcap.user import Operation

#: the resources of the SSP itself
_HERE = cap.CONNECT_TO_RESOURCE, cap.ConnectToResource(cap.Resource(none=True))


async def refuse(core: Core, call: Call, refusal: Refusal) -> None:
    """Refuse a call, with its announcement before that, if there is one."""
    number = core.config.announcements.get(refusal.why) if refusal.why is not None else None
    if number is not None:
        played = cap.PlayAnnouncement(_information(number), disconnect_from_ip_forbidden=False)
        _begin(core, call, (cap.PLAY_ANNOUNCEMENT, played))
        if await _next(core, call, cap.SPECIALIZED_RESOURCE_REPORT, cap.PLAY_ANNOUNCEMENT) is None:
            return
    release(core, call, refusal)


async def ask_pin(core: Core, call: Call, pin: str) -> Refusal | None:
    """Have the card's PIN dialled; None: it was right, or the call is over."""
    for tried in range(1, core.config.pin_tries + 1):
        _prompt(core, call, len(pin), first=tried == 1)
        heard = await _next(core, call, cap.PROMPT_AND_COLLECT)
        if heard is None:
            return None
        if heard.argument is None:
            return causes.TEMPORARY
        facts = {"right": heard.argument.digits == pin, "tried": tried, "most": core.config.pin_tries}
        if core.site.decide(controls.PIN, call.card.imsi, on=controls.DIGITS, **facts).admitted:
            return None
    return causes.WRONG_PIN


def _prompt(core: Core, call: Call, length: int, *, first: bool) -> None:
    announcement = core.config.announcements.get("pin")
    digits = cap.CollectedDigits(maximum=length, minimum=length)
    asked = cap.PromptAndCollectUserInformation(
        cap.CollectedInfo(digits), information=_information(announcement) if announcement is not None else None
    )
    prompt: Order = (cap.PROMPT_AND_COLLECT, asked)
    if first:
        _begin(core, call, prompt)
    else:
        order(core, call, prompt)


def _begin(core: Core, call: Call, what: Order) -> None:
    call.state = State.INTERACTION
    core.show(call)
    order(core, call, _HERE, what)


def _information(announcement: int) -> cap.Information:
    return cap.Information(cap.InbandInfo(cap.MessageId(elementary_message_id=announcement), number_of_repetitions=1))


async def _next(core: Core, call: Call, *wanted: Operation) -> Heard | None:
    """Return what the SSP says of an interaction, also that it failed; None: the call is over.

    What else it says now nobody has asked for.
    """
    while (heard := await call.inbox.get()) is not None:
        if heard.operation in (*wanted, cap.CONNECT_TO_RESOURCE):
            return heard
        release(core, call, causes.TEMPORARY)
    return None
