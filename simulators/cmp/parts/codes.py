"""Access codes for SMS: what the operator allocates to customers, and withdraws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.cmp.answers import CodesTold, CodeTold
from simulators.cmp.config import CodeAllocation
from simwarden.model.values import NUMBER, instance_of, one_of
from simwarden.operations.access_codes import AllocatedCode, Code
from simwarden.operations.approval import Approval, By
from simwarden.operations.management import Call, Role, route
from simwarden.runtime.declare import Observable

if TYPE_CHECKING:
    from simulators.cmp.access_codes import AccessCodes

_BOTH = (Role.OPERATOR, Role.CUSTOMER)


class Codes:
    """The codes of customers."""

    observables = (
        Observable(
            "gateway",
            "the list of codes that a gateway has: its version, and whether it is the one here (key: the gateway)",
            fields={
                "gateway": instance_of("element"),
                "version": NUMBER,
                "state": one_of("in-step", "drift", "untold"),
            },
            passing=("version",),
        ),
    )

    def __init__(self, codes: AccessCodes) -> None:
        self.codes = codes

    @route("GET", "/codes", roles=_BOTH, gives=CodesTold)
    async def query_codes(self, call: Call) -> dict[str, Any]:
        """Tell the codes and their version; to a customer its own, to the operator also which version gateways have."""
        shown = {code: each.model_dump(mode="json") for code, each in sorted(self.codes.held.items())}
        if call.role is Role.CUSTOMER:
            return {"codes": {code: each for code, each in shown.items() if each["account"] in call.accounts}}
        gateways = {each.name: each.version for each in self.codes.gateways}
        return {"version": self.codes.version, "codes": shown, "gateways": gateways}

    @route(
        "PUT",
        "/codes/{code}",
        roles=_BOTH,
        types={"code": Code},
        takes=CodeAllocation,
        gives=CodeTold,
        errors=(409,),
    )
    async def allocate_code(self, call: Call) -> dict[str, Any]:
        """Allocate a code to an account; gateways are told before the answer. By the operator, with an approval."""
        wanted = AllocatedCode(account=call.given.account, ota=call.given.ota)
        await self.codes.allocate(call.path["code"], wanted, By.of(call))
        return {"code": call.path["code"], **wanted.model_dump(mode="json"), "version": self.codes.version}

    @route("DELETE", "/codes/{code}", roles=_BOTH, types={"code": Code}, takes=Approval, gives=CodeTold)
    async def withdraw_code(self, call: Call) -> dict[str, Any]:
        """Withdraw a code; gateways are told before the answer. By the operator, with an approval record."""
        await self.codes.withdraw(call.path["code"], By.of(call))
        return {"code": call.path["code"], "version": self.codes.version}
