"""Time of calls from an OCS: session charging over Ro (TS 32.276 5.3, TS 32.299 6.3.6, RFC 8506 5).

Closed means released for a time: an OCS that is not there, is late, or says yes and grants no time gives a call none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.scp import causes
from simwarden.model.identity import Plmn
from simwarden.policy.numbers import international
from simwarden.runtime.diameter import DiameterNode, LocalNode
from simwarden.runtime.diameter.session import CreditClient, CreditSettings, Ended, Granted
from simwarden.wire.diameter import Avps, Message, ResultCode, first
from simwarden.wire.diameter.apps.credit import CcRequestType
from simwarden.wire.diameter.apps.gy import ServiceContext
from simwarden.wire.diameter.credit import GROUPS, is_limit_reached, subscription_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.scp.card import VoiceCard
    from simulators.scp.causes import Refusal
    from simulators.scp.config import ScpConfig
    from simwarden.runtime.diameter.session import Ask, Event
    from simwarden.runtime.site import Site


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds that a call is given; `last`: there are no more after them."""

    seconds: int
    last: bool


class Ro:
    """The OCS, and the credit of all calls."""

    def __init__(self, site: Site, config: ScpConfig) -> None:
        realm = Plmn.parse(config.plmn).realm
        local = LocalNode(f"{site.name}.{realm}", realm, state_id=int(site.clock.wall().timestamp()))
        self.node, self.peer = DiameterNode(site, local, {"Ro": {}}), config.ocs
        self.client = CreditClient(self.node, "Ro", config.ocs, realm, settings=CreditSettings(tx=config.ocs_answers))

    async def connect(self) -> None:
        """Connect, and stay so."""
        await self.node.connect("Ro", self.peer)

    def account(self, card: VoiceCard, lost: Callable[[], None]) -> Account:
        """Return the credit of one call; `lost` hears that the OCS has ended it."""
        return Account(self.client, card, lost)


class Account:
    """The credit of one call, a session of credit control."""

    def __init__(self, client: CreditClient, card: VoiceCard, lost: Callable[[], None]) -> None:
        self._session = client.open(self._fill, self._hear)
        self._card, self._lost = card, lost
        #: what the next request asks for and reports, None: nothing
        self._wanted: int | None = None
        self._used: int | None = None
        self._begun = False
        self._over = False
        self._waits: asyncio.Future[Event] | None = None

    async def ask(self, seconds: int, used: int) -> Time | Refusal:
        """Report how many seconds were used of what was given last, and ask for more."""
        if self._over:
            return causes.TEMPORARY
        self._wanted, self._used = seconds, used if self._begun else None
        if not self._begun:
            self._begun = True
            return self._read(await self._session.begin())
        self._waits = asyncio.get_running_loop().create_future()
        self._session.update("QUOTA_EXHAUSTED")
        return self._read(await self._waits)

    async def end(self, used: int) -> None:
        """Report the last seconds, and have it over."""
        if self._begun and not self._over:
            self._over = True
            self._wanted, self._used = None, used
            await self._session.end()

    def _hear(self, event: Event) -> None:
        """Take what came of a request: of one that the OCS asked for (RAR) nothing, since a report alone tells time."""
        waits, self._waits = self._waits, None
        if waits is not None and not waits.done():
            waits.set_result(event)
        elif isinstance(event, Ended) and not self._over:
            self._over = True
            self._lost()

    def _read(self, event: Event) -> Time | Refusal:
        answer = event.answer if isinstance(event, (Granted, Ended)) else None
        time = _time_in(answer) if isinstance(event, Granted) and answer is not None else None
        if isinstance(event, Ended):
            self._over = True
        if time is not None:
            return time
        return causes.USED_UP if answer is not None and is_limit_reached(answer) else causes.TEMPORARY

    def _fill(self, ask: Ask) -> Avps:
        ids = subscription_ids(self._card.imsi, international(self._card.msisdn) if self._card.msisdn else "")
        avps: Avps = [("Service-Context-Id", str(ServiceContext.VOICE)), *ids]
        if ask.kind is CcRequestType.INITIAL_REQUEST:
            avps.append(("Multiple-Services-Indicator", 1))
        wanted, used = self._wanted, self._used
        self._wanted = self._used = None
        group: Avps = [] if wanted is None else [("Requested-Service-Unit", [("CC-Time", wanted)])]
        if used is not None:
            group.append(("Used-Service-Unit", [("CC-Time", used)]))
        return [*avps, (GROUPS, group)] if group else avps


def _time_in(answer: Message) -> Time | None:
    """Return the time that an answer grants, None for none, whatever its result."""
    for group in answer.all(GROUPS):
        seconds = first(first(group, "Granted-Service-Unit", ()), "CC-Time", 0)
        if seconds and first(group, "Result-Code", 2001) == ResultCode.DIAMETER_SUCCESS:
            return Time(seconds, last=first(group, "Final-Unit-Indication") is not None)
    return None
