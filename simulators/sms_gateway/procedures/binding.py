"""A platform binds: it proves to be a customer, from where that may, before it has tried too often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.sms_gateway.controls import BIND, BINDS
from simulators.sms_gateway.passwords import matches
from simwarden.machine.cmpp_session import Clocks, judge_connect
from simwarden.model.address import is_within
from simwarden.runtime.store import StoreError
from simwarden.wire.cmpp import ConnectStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.sms_gateway.core import Core
    from simulators.sms_gateway.messages import Customer
    from simwarden.wire.cmpp import Connect
    from simwarden.wire.smpp import Bind


async def bind(core: Core, asked: Bind, address: str) -> Customer | None:
    """Return whom a bind proves to be, None for nobody; the hash takes its time outside of the loop (SMPP 3.4 4.1)."""
    customer, tries = core.customer_by("system_id", asked.system_id), _tries(core, address)
    proven = False
    if tries < core.config.guessing.tries:
        core.tries.begin(address, core.site.clock.now())
        kept = customer.account.password if customer is not None else ""
        proven = await core.site.clock.off_loop(matches, asked.password, kept)
        # meanwhile the account may have gone, or have got another name or password
        customer = core.customer_by("system_id", asked.system_id)
        proven = proven and customer is not None and customer.account.password == kept
    return _decide(core, customer, address, proven=proven, tries=tries)


def connect(core: Core, asked: Connect, address: str) -> tuple[Customer | None, ConnectStatus]:
    """Return whom a CMPP_CONNECT proves to be, and what it is told (CMPP 2.0 7.4.1); a time stamp is good once."""
    customer, tries = core.customer_by("source_addr", asked.source_addr), _tries(core, address)
    clocks = Clocks(core.site.clock.wall(), zone=core.site.clock.zone)
    status = ConnectStatus.AUTHENTICATION_ERROR
    if tries < core.config.guessing.tries:
        core.tries.begin(address, core.site.clock.now())
        status = ConnectStatus.ILLEGAL_SOURCE_ADDRESS
        if customer is not None and customer.account.secret:
            status = judge_connect(
                asked,
                customer.account.secret,
                clocks,
                customer.stamp,
            )
    found = _decide(core, customer, address, proven=status is ConnectStatus.CORRECT, tries=tries)
    if found is None:
        return None, status or ConnectStatus.ILLEGAL_SOURCE_ADDRESS
    try:
        core.store.keep_stamp(found.name, asked.time_stamp)
    except StoreError as error:
        core.site.note(f"a connection is refused for now: {error}")
        return None, ConnectStatus.OTHER_ERROR
    found.stamp = asked.time_stamp
    return found, ConnectStatus.CORRECT


def _tries(core: Core, address: str) -> int:
    return core.tries.count(address, core.site.clock.now())


def _decide(core: Core, customer: Customer | None, address: str, *, proven: bool, tries: int) -> Customer | None:
    account, hosts = (customer.name, customer.account.hosts) if customer is not None else ("", ())
    here, most = not hosts or address in hosts or is_within(address, _networks(hosts)), core.config.guessing.tries
    asked = core.site.decide(BINDS, on=BIND, account=account, proven=proven, tries=tries, most=most, here=here)
    if not asked.admitted:
        return None
    core.tries.succeed(address)
    return customer


def _networks(hosts: Sequence[str]) -> list[str]:
    """Return the networks among hosts; the others are names of elements."""
    return [each for each in hosts if "/" in each]


def show(core: Core, customer: Customer) -> None:
    """Tell how many binds a customer has."""
    binds = len(customer.binds)
    core.site.observe("bind", {"account": customer.name, "binds": binds} if binds else None, key=customer.name)
