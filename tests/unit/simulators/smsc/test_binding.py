"""Who may bind at a service centre as a gateway, and what becomes of one that tries passwords."""

from __future__ import annotations

import pytest
from service_centre import ABSENT, CODE, LISTED, Network, submit

from simwarden.machine.smpp_session import Event, SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.machine.windowed_session import BindAnswered
from simwarden.runtime.driven import Driven
from simwarden.wire.smpp import Bind, Command, Status

GATEWAYS = {"gateway": {"password": "secret", "codes": [CODE]}, "open": {"codes": ["10658001"]}}


async def bind(
    network: Network, password: str, system_id: str = "gateway", command: Command = Command.BIND_TRANSCEIVER
) -> int:
    """Bind on a connection of its own, which ends then; return the answer's status."""
    heard, site = list[int](), network.esme.site

    def take(event: Event) -> None:
        if isinstance(event, BindAnswered):
            heard.append(event.status)

    link, session = await site.connect("SMPP", "smsc"), SmppSession(Role.ESME, site.clock.now())
    session.bind(command, Bind(system_id, password), site.clock.now())
    driven = Driven(site, link, session, take)
    await network.settle()
    driven.drop()
    await network.settle()
    return heard[0]


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [
        ("gateway", "secret", Status.ESME_ROK),
        ("gateway", "guess", Status.ESME_RINVPASWD),
        ("gateway", "", Status.ESME_RINVPASWD),
        ("open", "", Status.ESME_RINVPASWD),
        ("nobody", "secret", Status.ESME_RINVSYSID),
    ],
)
async def test_a_listed_gateway_binds_by_its_password(system_id: str, password: str, status: Status) -> None:
    async with Network(gateways=GATEWAYS) as network:
        await network.host.stop("esme", kill=True)
        await network.settle()
        assert network.smsc.core.gateways == {}, "who is gone is bound no more"
        assert await bind(network, password, system_id) == status
        shown = [{"system_id": "gateway", "state": "bound"}, None] if system_id == "gateway" else []
        assert network.observed("gateway", key=system_id) == shown * (1 if status else 2)
        assert network.smsc.core.gateways == {}


@pytest.mark.parametrize(
    ("command", "attempts"), [(Command.BIND_TRANSMITTER, 1), (Command.BIND_RECEIVER, 2), (Command.BIND_TRANSCEIVER, 2)]
)
async def test_what_waits_is_tried_when_a_gateway_takes_messages(command: Command, attempts: int) -> None:
    async with Network() as network:
        await network.provision(LISTED)
        await network.host.stop("esme", kill=True)
        assert (await network.mme.submit(submit())).success
        await network.settle()
        await bind(network, "secret", command=command)
        assert network.values("message", "smsc")[-1]["attempts"] == attempts


async def test_a_gateway_that_binds_hurries_nothing_that_waits_for_a_card() -> None:
    async with Network() as network:
        await network.provision(LISTED)
        network.mme.answers = [ABSENT]
        assert await network.send() == "accepted"
        await bind(network, "secret")
        assert len(network.mme.tpdus) == 1


async def test_who_has_tried_too_often_waits_until_its_tries_are_old() -> None:
    async with Network(gateways=GATEWAYS, guessing={"tries": "1", "period": "300 s"}) as network:
        assert await bind(network, "guess") == Status.ESME_RINVPASWD
        await network.sleep(200)
        assert await bind(network, "secret") == Status.ESME_RINVPASWD  # which counts for nothing
        await network.sleep(101)
        assert await bind(network, "secret") == Status.ESME_ROK
