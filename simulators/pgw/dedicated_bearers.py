"""Dedicated bearers, which the PGW sets up, changes and ends (TS 23.401 5.4.1 to 5.4.4, TS 29.274 7.2.3 to 7.2.17).

What they are for is decided above: by the PGW's own provisioning now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.pgw.config import GUARANTEED
from simulators.pgw.controls import DELETE_BEARER_COMMAND
from simulators.pgw.session import OVER_MBR, Bearer
from simwarden.machine.token_bucket import Bucket
from simwarden.runtime.gtp.node import NoAnswerError, Piggybacked
from simwarden.wire import tft
from simwarden.wire.gtpv2 import Arp, BearerQos, Cause, FTeid, InterfaceType, Message, cause_text

if TYPE_CHECKING:
    import asyncio

    from simulators.pgw.config import BearerConfig, FilterConfig, ListedBearer
    from simulators.pgw.core import Core
    from simulators.pgw.session import Session
    from simwarden.runtime.gtp.node import Peer

_S5: Final = "S5-C"
_CREATE: Final = "create-bearer-request"
#: seconds before an order is repeated that came in the middle of a handover, and how often it is (TS 23.401 5.5.1)
_GUARD: Final = 3.0
_REPEATS: Final = 3


def provision(core: Core, session: Session, answer: Message, *, together: bool) -> Message | Piggybacked:
    """Set up what the APN's configuration has for a session, when the SGW has the answer that sets that up.

    `together`: the first order may go in the datagram of that answer (TS 23.401 annex F).
    """
    listed = session.addresses.config.bearers.items()
    wanted = [(name, config) for name, config in listed if not config.cards or session.imsi in config.cards]
    if not wanted:
        return answer
    if not together:
        core.site.spawn(_set_up_all(core, session, wanted), "dedicated bearers")
        return answer
    bearer = _open(core, session, *wanted.pop(0))

    def go_on(told: asyncio.Future[Message]) -> None:
        core.site.spawn(_set_up_all(core, session, wanted, (bearer, told)), "dedicated bearers")

    return Piggybacked(answer, Message(_CREATE, _order_of(core, session, bearer), session.sgw.teid), go_on)


async def _set_up_all(
    core: Core,
    session: Session,
    wanted: list[tuple[str, ListedBearer]],
    begun: tuple[Bearer, asyncio.Future[Message]] | None = None,
) -> None:
    if begun is not None:
        await _set_up(core, session, *begun)
    for name, config in wanted:
        if core.by_teid.get(session.teid) is session:
            await create_bearer(core, session, name, config)


async def create_bearer(
    core: Core, session: Session, name: str, config: BearerConfig, *, commanded: int = 0, pti: int = 0
) -> bool:
    """Set a dedicated bearer up (7.2.3); whether it stands. `pti`: the device has asked for it, by a command."""
    bearer = _open(core, session, name, config)
    bearer.requested = bool(pti)
    return await _set_up(core, session, bearer, commanded=commanded, pti=pti)


def _open(core: Core, session: Session, name: str, config: BearerConfig) -> Bearer:
    qos, buckets = _quality(core, session, config)
    filters = filters_of(config, _free_precedence(session))
    bearer = session.bearers[name] = Bearer(name, qos, filters, *buckets, core.next_charging_id())
    session.bearers = dict(sorted(session.bearers.items(), key=lambda each: each[1].filters[0].precedence))
    core.gateway.open_bearer(session, bearer)
    return bearer


def _order_of(core: Core, session: Session, bearer: Bearer) -> dict[str, Any]:
    """Return the elements of the request that orders a bearer."""
    context = {
        "ebi": 0,
        "bearer_tft": tft.encode(tft.Tft(tft.Operation.CREATE, bearer.filters)),
        "s5_u_pgw": FTeid.at(InterfaceType.S5_S8_PGW_GTP_U, bearer.user_teid, core.gateway.plane.address),
        "bearer_qos": bearer.qos,
        "charging_id": bearer.charging_id,
    }
    return {"linked_ebi": session.ebi, "bearer_contexts": (context,)}


async def _set_up(
    core: Core,
    session: Session,
    bearer: Bearer,
    begun: asyncio.Future[Message] | None = None,
    *,
    commanded: int = 0,
    pti: int = 0,
) -> bool:
    """Order a bearer, unless that has `begun`; whether it stands."""
    ies = _order_of(core, session, bearer) | ({"pti": pti} if pti else {})
    told = await order(core, session, _CREATE, ies, commanded=commanded, begun=begun)
    if session.bearers.get(bearer.name) is not bearer:
        return False  # the session has ended meanwhile
    if told is None or told.get("s5_u_sgw") is None:
        core.close_bearer(session, bearer)
        return False
    bearer.ebi, bearer.sgw_user = told["ebi"], told["s5_u_sgw"]
    core.tell_bearer(session, bearer, "active")
    return True


def filters_of(config: BearerConfig, precedence: int) -> tuple[tft.Filter, ...]:
    """Return the packet filters that a configuration says, from a precedence on."""
    return tuple(_filter(each, number, precedence + number) for number, each in enumerate(config.filters))


def _filter(config: FilterConfig, number: int, precedence: int) -> tft.Filter:
    return tft.Filter(
        number,
        precedence,
        tft.Direction[config.direction.upper()],
        config.remote,
        protocol=config.protocol_number,
        remote_ports=config.port_range,
        spi=config.spi,
        traffic_class=config.class_and_mask,
        flow_label=config.flow_label,
    )


def _quality(core: Core, session: Session, config: BearerConfig) -> tuple[BearerQos, tuple[Bucket, Bucket]]:
    """Return a bearer's quality, and what limits its packets: its own rates if they are guaranteed, else the AMBR."""
    qos = BearerQos(
        config.qci,
        Arp(config.priority, config.may_preempt, config.preemptable),
        *config.maximum,
        *config.guaranteed,
    )
    if config.qci not in GUARANTEED:
        return qos, (session.uplink, session.downlink)
    now, mtu = core.site.clock.now(), session.addresses.config.mtu
    up, down = (Bucket(rate, mtu, now, OVER_MBR) for rate in config.maximum)
    return qos, (up, down)


def _free_precedence(session: Session) -> int:
    """Return the least precedence from which filters of another bearer have room."""
    taken = {each.filters[0].precedence for each in session.bearers.values()}
    return next(each for each in range(0, 256, tft.MOST_FILTERS + 1) if each not in taken)


async def update_bearer(
    core: Core, session: Session, bearer: Bearer, config: BearerConfig, *, commanded: int = 0, pti: int = 0
) -> bool:
    """Change the quality and the packets of a bearer (7.2.15); whether it is changed, else it stays as it was.

    `pti`: the device has asked for it, by a command.
    """
    qos, buckets = _quality(core, session, config)
    filters = filters_of(config, bearer.filters[0].precedence)
    context: dict[str, Any] = {"ebi": bearer.ebi}
    if filters != bearer.filters:
        context["bearer_tft"] = _changed(bearer.filters, filters)
    if qos != bearer.qos:
        context["bearer_qos"] = qos
    if len(context) == 1:
        return True
    ies = {"bearer_contexts": (context,), "apn_ambr": session.ambr, **({"pti": pti} if pti else {})}
    if (
        await order(core, session, "update-bearer-request", ies, commanded=commanded) is None
        or session.bearers.get(bearer.name) is not bearer
    ):
        return False
    bearer.qos, bearer.filters, (bearer.uplink, bearer.downlink) = qos, filters, buckets
    core.tell_bearer(session, bearer, "active")
    return True


def _changed(before: tuple[tft.Filter, ...], now: tuple[tft.Filter, ...]) -> bytes:
    """Return the template that makes filters of others: a new one where their number changes, else replacement."""
    operation = tft.Operation.REPLACE_FILTERS if len(now) == len(before) else tft.Operation.CREATE
    return tft.encode(tft.Tft(operation, now))


async def delete_bearer(core: Core, session: Session, *bearers: Bearer, commanded: int = 0, pti: int = 0) -> None:
    """End dedicated bearers (7.2.9.2), and no others; they are over here whatever the SGW answers.

    Their tunnels stay until it has answered, for packets that are on their way. `pti`: the device has asked for it.
    """
    for bearer in bearers:
        core.close_bearer(session, bearer, confirmed=False)
    ies = {"ebis": tuple(each.ebi for each in bearers), **({"pti": pti} if pti else {})}
    try:
        await order(core, session, "delete-bearer-request", ies, commanded=commanded)
    finally:
        for bearer in bearers:
            core.gateway.close_bearer(session, bearer)


async def delete_bearer_command(core: Core, message: Message, peer: Peer) -> None:
    """End bearers that the radio has lost (7.2.17.1), by a request under the command's number; else say why not."""
    session = core.commanded(message, peer, DELETE_BEARER_COMMAND)
    if session is None:
        return
    named = sorted({each["ebi"] for each in message["bearer_contexts"]})
    lost = [found for ebi in named if (found := session.bearer(ebi)) is not None]
    if not lost:
        core.fail(message, peer, Cause.CONTEXT_NOT_FOUND)
        return
    core.site.note("the radio has lost bearers", imsi=session.imsi, bearers=", ".join(each.name for each in lost))
    await delete_bearer(core, session, *lost, commanded=message.sequence)


async def order(
    core: Core,
    session: Session,
    name: str,
    ies: dict[str, Any],
    *,
    commanded: int = 0,
    begun: asyncio.Future[Message] | None = None,
) -> dict[str, Any] | None:
    """Order something of the MME by the SGW; return what it says of the bearer, None if it is not carried out.

    In the middle of a handover it is ordered again after it (TS 23.401 5.5.1). `begun`: it was ordered once already.
    """
    for _ in range(_REPEATS + 1):
        try:
            request = Message(name, dict(ies), session.sgw.teid)
            answer = await (begun or core.node.request(request, session.sgw.address, _S5, commanded))
            commanded, begun = 0, None  # under the same number it would be a repetition
        except NoAnswerError as error:
            core.site.note(f"{name} was not carried out: {error}", imsi=session.imsi)
            return None
        told: dict[str, Any] = next(iter(answer.get("bearer_contexts", ())), {})
        cause = told.get("cause", answer["cause"]) if answer.accepted else answer["cause"]
        if cause.value == Cause.REQUEST_ACCEPTED:
            return told
        if cause.value != Cause.TEMPORARILY_REJECTED_DUE_TO_HANDOVER_IN_PROGRESS:
            break
        await core.site.clock.sleep(_GUARD)
        if core.by_teid.get(session.teid) is not session:
            return None
    core.site.note(f"{name} was refused: cause {cause_text(cause.value)}", imsi=session.imsi)
    return None
