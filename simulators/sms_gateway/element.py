"""The business gateway as an element: SMPP and CMPP for platforms, SMPP towards the SMSC, and its management."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.sms_gateway.config import GatewayCard, SmsGatewayConfig
from simulators.sms_gateway.controls import ALL
from simulators.sms_gateway.parts.accounts import Accounts
from simulators.sms_gateway.parts.cards import Cards
from simulators.sms_gateway.parts.codes import Codes
from simwarden.model.values import ACCESS_CODE, GIVEN, IMSI, NUMBER, one_of
from simwarden.operations.element import Element
from simwarden.operations.management import ROLES
from simwarden.runtime.declare import HISTORY, Declaration, Observable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.sms_gateway.clients.smsc import Centre
    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.dispatch.connection import Connection
    from simwarden.operations.approval import Audit
    from simwarden.runtime.link import Link

_STATES = ("held", "waiting", "forwarded", "delivered", "rejected", "undeliverable", "expired", "other")


class SmsGateway(Element[SmsGatewayConfig]):
    """The business gateway for SMS."""

    declaration = Declaration(
        kind="sms_gateway",
        title="Business gateway for SMS",
        lane=86,
        config=SmsGatewayConfig,
        standing=False,
        starts_after=("smsc",),
        listens=("SMPP", "CMPP"),
        calls=("SMPP",),
        card={"sms": GatewayCard},
        observables=(
            Observable(
                "message",
                "the last that became of a message, by its id; `repeated` counts times that it may have come twice",
                fields={
                    "id": NUMBER,
                    "direction": one_of("to-card", "from-card", "receipt"),
                    "account": GIVEN,
                    "code": ACCESS_CODE,
                    "imsi": IMSI,
                    "state": one_of(*_STATES),
                    "repeated": NUMBER,
                },
                passing=HISTORY,
                kept=True,
            ),
            Observable(
                "bind",
                "how many binds a customer has (key: the account)",
                fields={"account": GIVEN, "binds": NUMBER},
                serving="binds",
            ),
            Observable("smsc", "how its own bind at the SMSC is", one_of("bound", "refused", "unbound")),
        ),
        controls=(*ALL, ROLES),
    )
    parts = (Accounts, Cards, Codes)
    core: Core
    centre: Centre

    async def start(self) -> None:
        """Open the store, go on with what was kept, listen, and bind at the SMSC."""
        from simulators.sms_gateway.clients.smsc import Centre  # noqa: PLC0415 - checking files needs no codec
        from simulators.sms_gateway.core import Core  # noqa: PLC0415 - SQLAlchemy is heavy
        from simulators.sms_gateway.procedures import delivering, revoking, submitting  # noqa: PLC0415 - as above
        from simulators.sms_gateway.store import METADATA, Store  # noqa: PLC0415 - as above

        self.core = core = Core(self.site, self.config, Store(self.site.open_store(METADATA)))
        self.fit(core)
        self._binds: set[Connection[Any, Any]] = set()
        self.centre = centre = Centre(self.site, self.config)
        centre.next_message = partial(submitting.next_to_forward, core)
        centre.taken = partial(submitting.forwarded, core)
        centre.untaken = lambda message, unanswered: submitting.not_forwarded(core, message, unanswered=unanswered)
        centre.turned_down = partial(submitting.turned_down, core)
        centre.cancelled = partial(revoking.answered, core)
        centre.heard = partial(delivering.deliver, core)
        core.wake, core.expire = centre.pump_soon, partial(submitting.expire, core)
        core.review = partial(submitting.review, core)
        submitting.resume(core, core.store.messages())
        await self.site.listen("SMPP", self._accept_smpp)
        await self.site.listen("CMPP", self._accept_cmpp)
        await centre.begin()

    def _accept_smpp(self, link: Link) -> None:
        from simulators.sms_gateway.dispatch.smpp import SmppBind  # noqa: PLC0415 - as above

        self._binds.add(SmppBind(self.core, link, self._binds.discard))

    def _accept_cmpp(self, link: Link) -> None:
        from simulators.sms_gateway.dispatch.cmpp import CmppBind  # noqa: PLC0415 - as above

        self._binds.add(CmppBind(self.core, link, self._binds.discard))

    async def stop(self) -> None:
        """Unbind on both sides; what was taken is kept."""
        self.core.batch.flush()
        for bind in list(self._binds):
            bind.end()
        self.centre.end(say=True)
        await self.site.clock.settle()
        self.core.batch.flush()
        self._shut()

    async def killed(self) -> None:
        """Lose power."""
        self._shut()

    def _shut(self) -> None:
        self.core.close()
        self.centre.end(say=False)
        for bind in list(self._binds):
            bind.drop("connection lost")

    def census(self) -> Mapping[str, int]:
        """Count messages that are not over, and connections of platforms."""
        return {"submissions": len(self.core.messages), "binds": len(self._binds)}

    def kept(self) -> Audit:
        """Keep refused calls with the changes."""
        return self.core.audit
