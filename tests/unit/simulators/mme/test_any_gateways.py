"""Whatever gateways can say in GTP, the MME keeps to what it is for."""

from __future__ import annotations

from typing import Any

import budget
import pytest
from gtp_oracle import messages
from hypothesis import given, settings
from hypothesis import strategies as st

from simwarden.runtime.gtp.node import NoAnswerError
from simwarden.runtime.loop import TestbedLoop
from simwarden.testing.diameter import IMSI
from simwarden.wire import gtpv2

from .conftest import Network

pytestmark = pytest.mark.slow
ORDERS = ("create-bearer-request", "update-bearer-request", "delete-bearer-request", "downlink-data-notification")
#: elements by which an answer or an order is about the session that there is
OWN = ("cause", "sender_f_teid")


def about(order: gtpv2.Message, ebi: int, teid: int) -> gtpv2.Message:
    """Let an order be about a device, and a bearer that it may have."""
    ies = {name: value for name, value in order.ies.items() if name not in {"recovery", "sender_f_teid"}}
    if "linked_ebi" in ies:
        ies["linked_ebi"] = 5
    if order.name == "update-bearer-request":
        ies["bearer_contexts"] = tuple({**each, "ebi": ebi} for each in ies["bearer_contexts"])
    return gtpv2.Message(order.name, ies, teid)


@settings(max_examples=budget.examples(25))
@given(
    said=st.none() | messages("create-session-response"),
    orders=st.lists(st.tuples(st.sampled_from(ORDERS).flatmap(messages), st.integers(5, 7)), max_size=4),
)
def test_an_attach_and_orders_of_any_elements(
    said: gtpv2.Message | None, orders: list[tuple[gtpv2.Message, int]]
) -> None:
    async def story(network: Any) -> None:
        sgw = network.host.elements["sgw"].core
        create = sgw.node._handlers["create-session-request"]

        async def other(message: gtpv2.Message, peer: Any) -> gtpv2.Message:
            told: gtpv2.Message = await create(message, peer)
            if said is not None:
                (made,) = told["bearer_contexts_created"]
                context = said["bearer_contexts_created"][0] | {
                    name: made[name] for name in ("ebi", "cause", "s1_u_sgw")
                }
                ies = {name: value for name, value in said.ies.items() if name != "recovery"}
                told.ies = ies | {name: told[name] for name in OWN} | {"bearer_contexts_created": (context,)}
            return told

        sgw.node._handlers["create-session-request"] = other
        network.phone().attach()
        await network.settle()
        for order, ebi in orders:
            device = sgw.devices.get(IMSI)
            if device is not None:
                try:
                    await sgw.node.ask(about(order, ebi, device.mme.teid), device.mme.address, "S11")
                except NoAnswerError:
                    continue  # the device takes its time
        await network.sleep(100)
        assert (network.session() is None) or IMSI in sgw.devices

    async def whole() -> None:
        async with Network(loop) as network:
            await story(network)

    loop = TestbedLoop(virtual=True)
    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()
