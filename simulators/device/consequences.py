"""What the terminal declares of reject causes: the table in `rejects` and the abnormal cases, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.device.procedures.esm import BACKED_OFF
from simulators.device.procedures.location_updating import INVALID
from simulators.device.rejects import AT_ONCE, REACTIONS, Forbid, Next, Usim
from simulators.device.state import ATTEMPTS, Procedure, Timer
from simwarden.runtime.declare import Consequence, TimerKind
from simwarden.wire.nas import EmmCause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.device.rejects import Reaction

#: the message that refuses a procedure, and the clause on its causes
_MESSAGES = {
    Procedure.ATTACH: ("attach-reject", "TS 24.301 5.5.1.2.5"),
    Procedure.TRACKING_AREA_UPDATE: ("tracking-area-update-reject", "TS 24.301 5.5.3.2.5"),
    Procedure.SERVICE_REQUEST: ("service-reject", "TS 24.301 5.6.1.5"),
    Procedure.DETACH: ("detach-request", "TS 24.301 5.5.2.3.2"),
}
_USIM = {
    Usim.INVALID: "holds the card invalid until it is switched off or the card is taken out",
    Usim.INVALID_FOR_EPS: "holds the card invalid for EPS until it is switched off or the card is taken out",
}
_THEN = {
    Next.OTHER_CELL: "looks for a cell in another tracking area",
    Next.OTHER_PLMN: "looks for another network",
    Next.ATTACH: "attaches again",
    Next.WAIT_T3346: "tries again when the T3346 that came with it has run out; without one as on any other cause",
}


def consequences() -> Iterator[Consequence]:
    """Yield what each cause demands, procedure by procedure, and after it what any other cause does."""
    for procedure, (message, clause) in _MESSAGES.items():
        for number, reaction in sorted(REACTIONS[procedure].items()):
            yield Consequence(message, EmmCause(number), in_words(reaction), clause)
        yield from _abnormal(procedure, message)
    for cause in sorted(BACKED_OFF):
        said = f"leaves the APN alone for {_time(Timer.T3396)} or as long as the message says, then tries again"
        yield Consequence("pdn-connectivity-reject", cause, said, "TS 24.301 6.5.1.4.3")
    for number in sorted(INVALID):
        said = "holds the card invalid for calls until it is switched off or the card is taken out"
        yield Consequence("location-updating-reject", number, said, "TS 24.008 4.4.4.7")
    yield Consequence(
        "authenticate-response",
        None,
        "tells the network #20 MAC failure, since no cause says that a card will not, and tries again as after a "
        "failed attempt; after the third one it takes the network for false and leaves it",
        "TS 24.301 5.4.2.7",
    )
    yield Consequence(
        "authentication-reject",
        None,
        in_words(REACTIONS[Procedure.ATTACH][EmmCause.ILLEGAL_UE]),
        "TS 24.301 5.4.2.5",
    )


def timers() -> Iterator[TimerKind]:
    """Yield the timers that the terminal keeps to; the network sets some of them otherwise."""
    for each in Timer:
        clause = each.value.clause if each.value.clause.startswith("TS ") else f"TS 24.301 {each.value.clause}"
        if each.name.startswith("T3"):
            yield TimerKind(each.name, _time(each), each.value.purpose, clause)


def in_words(reaction: Reaction) -> str:
    """Say what a reaction is, as what the terminal does one after another."""
    said = []
    if reaction.usim in _USIM:
        said.append(_USIM[reaction.usim])
    if reaction.forbid is Forbid.PLMN_FOR_A_WHILE:
        said.append(f"leaves the network alone for {_time(Timer.PLMN_42)}")
    elif reaction.forbid is not Forbid.NOTHING:
        what = "network" if reaction.forbid in (Forbid.PLMN, Forbid.PLMN_FOR_GPRS) else "tracking area"
        said.append(f"puts the {what} on its list of {reaction.forbid.value}")
    if reaction.delete:
        said.append("forgets GUTI, TAI list and keys")
    if reaction.then in _THEN:
        said.append(_THEN[reaction.then])
    return "; ".join(said)


def _abnormal(procedure: Procedure, message: str) -> Iterator[Consequence]:
    later = f"after the {ATTEMPTS}th attempt when T3402 has run out ({_time(Timer.T3402)})"
    if procedure in (Procedure.ATTACH, Procedure.TRACKING_AREA_UPDATE):
        clause = "TS 24.301 5.5.1.2.6" if procedure is Procedure.ATTACH else "TS 24.301 5.5.3.2.6"
        for number in sorted(AT_ONCE):
            yield Consequence(
                message, EmmCause(number), f"tries again when T3402 has run out ({_time(Timer.T3402)})", clause
            )
        soon = f"tries again when T3411 has run out ({_time(Timer.T3411)}), {later}"
        yield Consequence(message, None, soon, clause)
    elif procedure is Procedure.SERVICE_REQUEST:
        said = "stays registered; the application may ask again at once"
        yield Consequence(message, None, said, "TS 24.301 5.6.1.6")
    else:
        said = f"forgets GUTI, TAI list and keys; attaches again when T3402 has run out ({_time(Timer.T3402)})"
        yield Consequence(message, None, said, "TS 24.301 5.5.2.3.4")


def _time(timer: Timer) -> str:
    seconds = timer.seconds
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
