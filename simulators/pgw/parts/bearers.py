"""Dedicated bearers: those that sessions have, and what the operator changes of them while they last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.pgw.answers import BearerEnded, BearerTold
from simulators.pgw.config import BearerConfig
from simwarden.errors import ManagementError
from simwarden.model.values import APN, GIVEN, IMSI, NUMBER, one_of
from simwarden.operations.management import Call, route
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.pgw.core import Core
    from simulators.pgw.session import Session

#: bearers of a session beside its default one; a device has identities for eleven in all (TS 24.007 11.2.3.1.5)
_MOST = 10


class Bearers:
    """Dedicated bearers of sessions."""

    observables = (
        Observable(
            "bearer",
            "a dedicated bearer, by its session and its name",
            fields={
                "imsi": IMSI.or_none(),
                "apn": APN,
                "name": GIVEN,
                "ebi": NUMBER,
                "qci": NUMBER,
                "state": one_of("active"),
            },
            passing=("ebi", "qci"),
        ),
    )

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("PUT", "/sessions/{imsi}/{apn}/bearers/{name}", takes=BearerConfig, gives=BearerTold, errors=(404, 409, 502))
    async def put_bearer(self, call: Call) -> dict[str, Any]:
        """Set a dedicated bearer up, or change it; 502: the device, its eNB or a node on the way does not do it."""
        from simulators.pgw import dedicated_bearers  # noqa: PLC0415 - checking files needs no codec

        session, name = self._session(call), call.path["name"]
        bearer = session.bearers.get(name)
        if bearer is None:
            if len(session.bearers) >= _MOST:
                raise ManagementError(409, f"a session has {_MOST} dedicated bearers at most")
            done = await dedicated_bearers.create_bearer(self.core, session, name, call.given)
        elif bearer.sgw_user is None:
            raise ManagementError(409, f"{name} is being set up")
        else:
            done = await dedicated_bearers.update_bearer(self.core, session, bearer, call.given)
        if not done:
            raise ManagementError(502, f"{name} was not {'set up' if bearer is None else 'changed'}")
        standing = session.bearers[name]
        return {"name": name, "ebi": standing.ebi, "qci": standing.qos.qci}

    @route("DELETE", "/sessions/{imsi}/{apn}/bearers/{name}", gives=BearerEnded, errors=(404, 409))
    async def delete_bearer(self, call: Call) -> dict[str, Any]:
        """End a dedicated bearer, and no other; one that is being set up cannot be ended yet (409)."""
        from simulators.pgw import dedicated_bearers  # noqa: PLC0415 - as above

        session, name = self._session(call), call.path["name"]
        bearer = session.bearers.get(name)
        if bearer is None:
            raise ManagementError(404, f"{session.imsi} has no bearer {name}")
        if bearer.sgw_user is None:
            raise ManagementError(409, f"{name} is being set up")
        await dedicated_bearers.delete_bearer(self.core, session, bearer)
        return {"ended": name}

    def _session(self, call: Call) -> Session:
        imsi, apn = call.path["imsi"], call.path["apn"].lower()
        found = next((each for each in self.core.sessions.values() if (each.imsi, each.apn) == (imsi, apn)), None)
        if found is None:
            raise ManagementError(404, f"{imsi} has no session by {apn}")
        return found
