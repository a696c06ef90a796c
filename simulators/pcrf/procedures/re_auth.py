"""What PGWs are told: other rules of sessions that go on (TS 29.212 4.5.2, 4.5.12).

A change is pending, and kept so with it, until the PGW of each session has heard of it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from simulators.pcrf import controls
from simulators.pcrf.core import LONGEST_PAUSE
from simulators.pcrf.procedures.orders import failures, orders, tell_lacking
from simulators.pcrf.rules import leaves_open
from simwarden.runtime.diameter import Unreachable
from simwarden.runtime.store import StoreError
from simwarden.wire.diameter import ExperimentalResult, ResultCode
from simwarden.wire.diameter.apps.credit import ReAuthRequestType

if TYPE_CHECKING:
    from simulators.pcrf.card import GxSession
    from simulators.pcrf.core import Core
    from simulators.pcrf.rules import Rules
    from simwarden.runtime.diameter import Peer
    from simwarden.wire.diameter import Message

#: answers by which a PGW has carried out what it could
_HEARD: Final = (ResultCode.DIAMETER_SUCCESS, ExperimentalResult.DIAMETER_PCC_RULE_EVENT)


def opened(core: Core, peer: Peer) -> None:
    """A PGW has connected: it hears what is pending for its sessions, and those of PGWs behind it.

    Sessions that it has lost are over.
    """
    for session in list(core.store.sessions):
        if session.host == peer.host and 0 < session.state_id < peer.state_id:
            _forget(core, session)
        elif session.pending and core.peers.way_to(session.host) == peer.host:
            core.site.spawn(re_auth(core, session.id), "pending rules")


async def follow(core: Core, imsi: str) -> None:
    """Tell the PGWs of a card's sessions of what is pending for them; who does not answer is told again."""
    await asyncio.gather(*(re_auth(core, each.id) for each in core.store.sessions_of(imsi) if each.pending))


async def re_auth(core: Core, identity: str) -> None:
    """Tell a session's PGW its rules as they are now."""
    if identity in core.telling:
        return  # it is looked at again when that is answered
    core.telling.add(identity)
    try:
        while (session := core.store.session(identity)) is not None and session.pending:
            if not await _tell(core, session):
                _plan(core, identity)
                return
        core.pauses.pop(identity, None)
    except StoreError:
        _plan(core, identity)
        raise
    finally:
        core.telling.discard(identity)


async def _tell(core: Core, session: GxSession) -> bool:
    """Send an RAR; return whether it was carried out as far as could be."""
    rules = core.rules(session, controls.RE_AUTH)
    removed = [each for each in session.rules if each not in rules.names]
    # until it has answered, the PGW may have both
    told = replace(session, rules=(*rules.names, *removed), lacking=rules.lacking)
    core.store.keep(told)
    request = core.node.make(
        "Re-Auth-Request",
        [("Re-Auth-Request-Type", int(ReAuthRequestType.AUTHORIZE_ONLY)), *orders(rules, removed)],
        realm=session.realm,
        host=session.host,
        point="Gx",
        session=session.id,
    )
    try:
        answer = await core.node.ask(core.peers.way_to(session.host), request)
    except Unreachable as reason:
        core.site.note(f"{session.host} was not told of other rules: {reason}", imsi=session.imsi)
        return False
    return _heard(core, told, rules, answer)


def _heard(core: Core, told: GxSession, rules: Rules, answer: Message) -> bool:
    """Take the answer to an RAR, after which there may be another change."""
    session, code = core.store.session(told.id), answer.result_code or answer.experimental_result
    if session is None:
        return True
    if code == ResultCode.DIAMETER_UNKNOWN_SESSION_ID:
        _forget(core, session)
        return True
    if code not in _HEARD:
        core.site.note(f"{session.host} took no other rules: result {code}", imsi=session.imsi)
        return False
    failed = failures((), answer)
    if code == ExperimentalResult.DIAMETER_PCC_RULE_EVENT and not failed:  # none could be installed
        failed = rules.names
    # what a CCR-U has reported meanwhile may be of before the order, or of after it: the next answer tells
    crossed = [each for each in session.failed if each not in told.failed and each in rules.names]
    failed = tuple(dict.fromkeys((*failed, *crossed)))
    pending = session.pending - told.pending + (bool(crossed) or leaves_open(failed, rules.names))
    now = replace(session, rules=rules.names, failed=failed, pending=pending)
    core.store.keep(now)
    core.show(now)
    if failed:
        core.site.note(f"rules are not in force: {', '.join(failed)}", imsi=now.imsi)
    tell_lacking(core, now)
    return True


def _forget(core: Core, session: GxSession) -> None:
    """End a session that its PGW has lost."""
    core.site.note(f"{session.host} has lost a session", imsi=session.imsi)
    core.store.end(session.id, None, core.now())
    core.show(session, over=True)


def _plan(core: Core, identity: str) -> None:
    """Tell a PGW that is connected again after a pause, doubled each time; one that is not when it connects."""
    session = core.store.session(identity)
    if session is not None and core.node.peer_of(core.peers.way_to(session.host)) is not None:
        core.site.spawn(_later(core, identity), "told again")


async def _later(core: Core, identity: str) -> None:
    pause = core.pauses.get(identity, core.config.retry)
    core.pauses[identity] = min(2 * pause, max(LONGEST_PAUSE, core.config.retry))
    await core.clock.sleep(pause)
    await re_auth(core, identity)
