"""What the OCS asks of those that it grants: to ask again (RAR, RFC 8506 5.5, TS 32.299 6.4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.runtime.diameter import Unreachable
from simwarden.wire.diameter.apps.credit import ReAuthRequestType

if TYPE_CHECKING:
    from simulators.ocs.core import Core
    from simulators.ocs.store import Session


async def re_auth(core: Core, session: Session) -> None:
    """Have the node of a session ask again at once; one that cannot be reached asks when its units are used."""
    kind = [("Re-Auth-Request-Type", int(ReAuthRequestType.AUTHORIZE_ONLY))]
    request = core.node.make(
        "Re-Auth-Request", kind, realm=session.realm, host=session.host, point="Gy", session=session.session
    )
    try:
        answer = await core.node.ask(core.peers.way_to(session.host), request)
    except Unreachable as reason:
        core.site.note(f"{session.host} does not hear of the changed quota: {reason}", imsi=session.imsi)
        return
    if not answer.success:
        core.site.note(f"{session.host} has no such session: {answer.result_code}", imsi=session.imsi)


def tell(core: Core, imsi: str) -> None:
    """Have all sessions of a card asked about anew, after a change."""
    for session in core.store.open_sessions(imsi):
        core.site.spawn(re_auth(core, session), "re-auth-request")
