"""The customers of a gateway: what their platforms prove to be them by, and what waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.sms_gateway.answers import AccountTold
from simulators.sms_gateway.config import Account
from simulators.sms_gateway.passwords import with_hash
from simulators.sms_gateway.procedures.handing import refused
from simwarden.errors import ManagementError
from simwarden.operations.approval import By
from simwarden.operations.management import Call, route

if TYPE_CHECKING:
    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Customer


class Accounts:
    """Customers."""

    def __init__(self, core: Core) -> None:
        self.core = core

    @route("GET", "/accounts", gives=tuple[AccountTold, ...])
    async def list_accounts(self, _call: Call) -> list[dict[str, Any]]:
        """Tell all customers, without what they prove themselves by, their binds, and what waits for them."""
        return [_told(each) for each in self.core.customers.values()]

    @route("PUT", "/accounts/{account}", takes=Account, gives=AccountTold, errors=(409,))
    async def put_account(self, call: Call) -> dict[str, Any]:
        """Take a customer, or other names, passwords and bounds of one; its binds end, and are made anew by these."""
        name, wanted = call.path["account"], call.given
        kept = await self.core.site.clock.off_loop(with_hash, wanted, self.core.site.rng.randbytes(16))
        for field in ("system_id", "source_addr"):  # not before: another may have come meanwhile
            other = self.core.customer_by(field, getattr(wanted, field))
            if other is not None and other.name != name:
                raise ManagementError(409, f"{other.name} has this {field}")
        self.core.put_account(name, kept, self._audit(call, "account-put", name))
        customer = self.core.customers[name]
        _end_binds(customer)
        return _told(customer)

    @route("DELETE", "/accounts/{account}", gives=type(None), errors=(404,))
    async def delete_account(self, call: Call) -> None:
        """Let a customer bind no more, and end what goes to its binds; what waits for the SMSC ends with its codes."""
        customer = self.core.customers.get(call.path["account"])
        if customer is None:
            raise ManagementError(404, f"there is no account {call.path['account']}")
        self.core.store.drop_account(customer.name, self._audit(call, "account-deleted", customer.name))
        del self.core.customers[customer.name]
        while customer.queued:
            refused(self.core, customer.queued.popleft())
        _end_binds(customer)

    def _audit(self, call: Call, action: str, account: str) -> dict[str, Any]:
        return self.core.audit.record(action, "", {"account": account}, By.of(call))


def _end_binds(customer: Customer) -> None:
    for bind in list(customer.binds):
        bind.end()


def _told(customer: Customer) -> dict[str, Any]:
    shown = customer.account.model_dump(mode="json", exclude={"password", "secret"})
    waiting = {"to_cards": customer.waiting, "to_platform": len(customer.queued)}
    return {"account": customer.name, **shown, "binds": len(customer.binds), "waiting": waiting}
