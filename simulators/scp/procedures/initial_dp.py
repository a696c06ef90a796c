"""A call at a trigger detection point (InitialDP, TS 23.078 4.5.7, TS 29.078 11.18): what is to become of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.scp import causes
from simulators.scp.call import Call, Direction, State
from simulators.scp.clients.ssp import alive, arm, order, refuse, test_activity
from simulators.scp.procedures import apply_charging, interaction
from simulators.scp.procedures.admission import is_exempt, judge_party, refusal_now, refusal_of
from simulators.scp.procedures.monitoring import monitor
from simulators.scp.procedures.parties import direction_of, far_end, own_number, routing_address
from simwarden.policy.numbers import party
from simwarden.wire import cap

if TYPE_CHECKING:
    from simulators.scp.card import VoiceCard
    from simulators.scp.clients.ssp import Order
    from simulators.scp.core import Core
    from simwarden.wire.cap import InitialDP, Phase


def initial_dp(core: Core, dialogue: int, phase: Phase, asked: InitialDP) -> None:
    """Direct a call; who is not known here, or cannot be told, is not let through."""
    direction = direction_of(asked)
    if direction is None:
        core.site.note(f"InitialDP at {asked.event_type_bcsm!r}, which nothing here is triggered by")
        refuse(core, dialogue, causes.TEMPORARY)
        return
    told, card = far_end(asked, direction), _card(core, asked, direction)
    exempt = is_exempt(core, direction, told)
    if exempt and judge_party(core, card, told, direction.occasion, emergency=True).admitted:
        core.user.tc.invoke(dialogue, cap.CONTINUE, b"", core.clock.now())
        core.user.tc.end(dialogue)
        core.user.flush()
        return
    if card is None:
        judge_party(core, None, told, direction.occasion)
        refuse(core, dialogue, causes.TEMPORARY)
        return
    call = Call(next(core.numbers), dialogue, phase, direction, card, *told)
    core.take(call)
    test_activity(core, call)
    core.show(call)
    core.site.spawn(_direct(core, call), f"directs call {call.id}", standing=True)


def _card(core: Core, asked: InitialDP, direction: Direction) -> VoiceCard | None:
    """Return whose call it is, by the IMSI; a number of another card's beside it makes it nobody's."""
    own = own_number(asked, direction)
    by_number = core.store.numbered(*own)
    if asked.imsi is None:
        return by_number
    card = core.store.card(asked.imsi)
    return None if card is None or (by_number is not None and by_number.imsi != card.imsi) else card


async def _direct(core: Core, call: Call) -> None:
    """Carry out the service logic of a call, until it is over."""
    refusal = refusal_of(core, call)
    pin = call.card.terms.pin
    if refusal is None and pin and call.direction is Direction.MO:
        refusal = await interaction.ask_pin(core, call, pin)
        if refusal is None and alive(core, call):  # it took its time
            refusal = refusal_now(core, call, call.direction.occasion)
    if alive(core, call):
        await (_connect(core, call) if refusal is None else interaction.refuse(core, call, refusal))
    if alive(core, call):
        await monitor(core, call)
    call.state = State.OVER
    core.show(call)
    await apply_charging.end_time(core, call)


async def _connect(core: Core, call: Call) -> None:
    """Let a call through, to the party that was judged, for a time."""
    time = await apply_charging.give_time(core, call)
    if isinstance(time, causes.Refusal):
        await interaction.refuse(core, call, time)
        return
    orders: list[Order] = []
    if call.state is State.INTERACTION:
        orders.append((cap.DISCONNECT_FORWARD_CONNECTION, None))
    orders += [arm(call), time]
    if call.direction.outgoing or call.forward:
        who = party(call.forward) if call.forward else party(call.number, call.ton)
        address = routing_address(who)
        orders.append((cap.CONNECT, cap.Connect((address,))))
    else:
        orders.append((cap.CONTINUE, None))
    call.state = State.CONNECTED
    core.show(call)
    order(core, call, *orders)
