"""The access codes for SMS that customers have: the list is here, in versions, and gateways are told of it.

Each change is kept before it is told. A gateway is told the whole list first, then changes since the version that it
has; one that lacks some is told the whole again. A word that there are no changes keeps its list young.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from simulators.cmp.controls import CODE_CHANGES
from simwarden.errors import ManagementError
from simwarden.operations.access_codes import AllocatedCode, CodeChange, CodeChanges, CodeList
from simwarden.operations.restriction import Restriction

if TYPE_CHECKING:
    from simulators.cmp.platform import Platform
    from simwarden.operations.approval import By

METADATA = sa.MetaData(info={"schema": "cmp_codes"})
_CODES = sa.Table(
    "access_codes",
    METADATA,
    sa.Column("code", sa.String(20), primary_key=True),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("ota", sa.Boolean, nullable=False),
)
_VERSION = sa.Table(
    "access_codes_version",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)
#: changes that are remembered for gateways that come back; who lacks more is told the whole list
_REMEMBERED: Final = 1000


@dataclass(slots=True)
class Told:
    """A gateway: the version that it has, None while nobody knows, and whether it is being told right now."""

    name: str
    version: int | None = None
    telling: bool = False
    retrying: bool = False


class AccessCodes:
    """The list of one platform, and the gateways that have it."""

    def __init__(self, platform: Platform, engine: sa.Engine) -> None:
        self._platform, self._engine = platform, engine
        self.changes = Restriction(platform.audit, CODE_CHANGES)
        self.gateways = [Told(name) for name in platform.config.codes.gateways]
        self._log: list[tuple[int, CodeChange]] = []
        with engine.begin() as connection:
            self.version = connection.execute(sa.select(_VERSION.c.version)).scalar() or 0
            rows = connection.execute(sa.select(_CODES).order_by(_CODES.c.code)).all()
        self.held = {row.code: AllocatedCode(account=row.account, ota=row.ota) for row in rows}
        if not self.version:
            for code, each in platform.config.codes.allocated.items():
                self._keep(code, each)

    # -- changes

    async def allocate(self, code: str, wanted: AllocatedCode, by: By) -> None:
        """Give a code to an account. Raises ManagementError: 403, and 409 where another one has it."""
        self.changes.approve("", by, "allocate the code", wanted=code)
        held = self.held.get(code)
        if held is not None and held.account != wanted.account:
            raise ManagementError(409, f"{held.account} has the code {code}")
        if held != wanted:
            await self._change(code, wanted, by, "code-allocated")

    async def withdraw(self, code: str, by: By) -> None:
        """Take a code away from its account. Raises ManagementError: 403, and 404 where nobody has it."""
        self.changes.approve("", by, "withdraw the code", wanted=code)
        if code not in self.held:
            raise ManagementError(404, f"nobody has the code {code}")
        await self._change(code, None, by, "code-withdrawn")

    async def _change(self, code: str, wanted: AllocatedCode | None, by: By, action: str) -> None:
        details = {"code": code, "account": (wanted or self.held[code]).account}
        self._keep(code, wanted, self.changes.record(action, "", by, details))
        for each in self.gateways:
            await self.tell(each)

    def _keep(self, code: str, wanted: AllocatedCode | None, audit: dict[str, Any] | None = None) -> None:
        version = self.version + 1
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_CODES).where(_CODES.c.code == code))
            if wanted is not None:
                connection.execute(sa.insert(_CODES), {"code": code, **wanted.model_dump()})
            connection.execute(sa.delete(_VERSION))
            connection.execute(sa.insert(_VERSION), {"id": 1, "version": version})
            if audit is not None:
                self._platform.store.audit_with(connection, audit)
        self.version = version
        self.held.pop(code, None)
        if wanted is not None:
            self.held[code] = wanted
        self._log.append((version, CodeChange(code=code, allocated=wanted)))
        del self._log[:-_REMEMBERED]

    # -- gateways

    async def keep_told(self) -> None:
        """Tell all gateways the list at the start, and every so often that it holds, while the platform runs."""
        while True:
            for each in self.gateways:
                await self.tell(each)
            await self._platform.site.clock.sleep(self._platform.config.codes.confirm)

    async def tell(self, gateway: Told) -> None:
        """Tell a gateway what it lacks, or that the list holds; one that is being told hears of it after that."""
        if gateway.telling:
            return
        gateway.telling = True
        try:
            while await self._tell_once(gateway) and gateway.version != self.version:
                pass
        finally:
            gateway.telling = False

    async def _tell_once(self, gateway: Told) -> bool:
        """Say one thing to a gateway; return whether there may be more to say at once."""
        site, version = self._platform.site, self.version
        method, body = self._word_for(gateway, version)
        try:
            await site.manage(gateway.name, method, "/codes", body)
        except ManagementError as error:
            gap = error.status == 409 and method == "POST"
            site.note(f"{gateway.name} was not told the list of codes: {error}")
            gateway.version = None
            self.show(gateway, "drift" if gap else "untold")
            if not gap:
                self._retry_later(gateway)
            return gap
        gateway.version = version
        self.show(gateway, "in-step")
        return True

    def _retry_later(self, gateway: Told) -> None:
        if not gateway.retrying:
            gateway.retrying = True
            self._platform.site.spawn(self._retry(gateway), "pending notifications of codes")

    async def _retry(self, gateway: Told) -> None:
        try:
            await self._platform.site.clock.sleep(self._platform.config.retry)
        finally:
            gateway.retrying = False
        await self.tell(gateway)

    def _word_for(self, gateway: Told, version: int) -> tuple[str, dict[str, Any]]:
        since = gateway.version
        missing = [change for number, change in self._log if since is not None and number > since]
        if since is None or len(missing) != version - since:
            return "PUT", CodeList(version=version, codes=self.held).model_dump(mode="json")
        changes = CodeChanges(since=since, version=version, changes=tuple(missing))
        return "POST", changes.model_dump(mode="json")

    def show(self, gateway: Told, state: str) -> None:
        """Tell how a gateway's list is."""
        shown = {"gateway": gateway.name, "version": gateway.version or 0, "state": state}
        self._platform.site.observe("gateway", shown, key=gateway.name)
