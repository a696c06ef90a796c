"""What a gateway submits again since it had no answer, and what it takes back."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from service_centre import ABSENT, CODE, LISTED, MSISDN, Network

from simulators.platform.element import Platform
from simwarden.machine.smpp_session import Event, SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.machine.windowed_session import Answered, Asked
from simwarden.runtime.driven import Driven
from simwarden.testing.diameter import IMSI
from simwarden.wire import smpp
from simwarden.wire.smpp import Address, Cancel, Command, MessageId, Parameter, ShortMessage, Status, Tag, format_time

if TYPE_CHECKING:
    from pathlib import Path

    from simwarden.wire.smpp import Body, Pdu

UNTIL = format_time(dt.datetime(2026, 3, 2, 20, 0, tzinfo=dt.UTC))
FROM, TO = Address(CODE, 0, 1), Address(MSISDN, 0, 1)


class ByHand(Platform):
    """A gateway whose requests are made by hand; `receipts` are those that came."""

    async def start(self) -> None:
        link = await self.site.connect("SMPP", "smsc")
        self.session = SmppSession(Role.ESME, self.site.clock.now())
        self.session.bind(Command.BIND_TRANSCEIVER, smpp.Bind("gateway", "secret"), self.site.clock.now())
        self.driven = Driven(self.site, link, self.session, self.take)
        self.waiting: dict[int, asyncio.Future[Pdu]] = {}
        self.receipts: list[Pdu] = []
        await self.site.clock.settle()

    async def stop(self) -> None:
        self.driven.drop()

    def take(self, event: Event) -> None:
        if isinstance(event, Answered) and event.answer is not None:
            self.waiting.pop(event.asked.sequence).set_result(event.answer)
        elif isinstance(event, Asked):
            self.receipts.append(event.pdu)
            self.session.answer(event.pdu, 0, MessageId())

    async def ask(self, command: Command, body: Body, *parameters: Parameter) -> Pdu:
        sequence = self.session.ask(command, body, self.site.clock.now(), *parameters)
        self.waiting[sequence] = asyncio.get_running_loop().create_future()
        self.driven.settle()
        return await self.waiting[sequence]

    async def submit(self, reference: int | None, text: bytes = b"read", until: str = UNTIL) -> str:
        body = ShortMessage(
            source=FROM, destination=TO, short_message=text, validity_period=until, registered_delivery=1
        )
        told = () if reference is None else (Parameter(Tag.USER_MESSAGE_REFERENCE, reference.to_bytes(2)),)
        answer = await self.ask(Command.SUBMIT_SM, body, *told)
        assert isinstance(answer.body, MessageId)
        return answer.body.message_id

    async def cancel(self, message_id: str = "", source: Address = FROM, destination: Address = TO) -> Status:
        body = Cancel(message_id=message_id, source=source, destination=destination)
        return Status((await self.ask(Command.CANCEL_SM, body)).status)


class Centre(Network):
    def __init__(self, stores: dict[str, str] | None = None) -> None:
        super().__init__(esme=ByHand, stores=stores)

    @property
    def gateway(self) -> ByHand:
        assert isinstance(self.esme, ByHand)
        return self.esme

    async def start(self) -> None:
        await super().start()
        await self.provision(LISTED)


async def test_what_is_submitted_again_is_the_same_message() -> None:
    async with Centre() as centre:
        first = await centre.gateway.submit(7)
        assert await centre.gateway.submit(7) == first
        await centre.settle()
        (tpdu,) = centre.mme.tpdus
        assert tpdu.user_data.octets == b"read"
        (receipt,) = centre.gateway.receipts
        assert receipt.parameter(Tag.USER_MESSAGE_REFERENCE) == b"\0\x07"
        assert (await centre.call("GET", f"/cards/{IMSI}"))["used"] == 1


@pytest.mark.parametrize(
    "second", [(8, b"read", UNTIL), (7, b"reed", UNTIL), (7, b"read", "000000110000000R"), (None, b"read", UNTIL)]
)
async def test_what_says_or_is_something_else_is_another_message(second: tuple[int | None, bytes, str]) -> None:
    async with Centre() as centre:
        first = await centre.gateway.submit(7)
        assert await centre.gateway.submit(*second) != first
        await centre.settle()
        assert len(centre.mme.tpdus) == 2
        told = centre.gateway.receipts[-1].parameter(Tag.USER_MESSAGE_REFERENCE)
        assert told == (None if second[0] is None else second[0].to_bytes(2))


async def test_a_killed_centre_knows_what_it_had_acknowledged(tmp_path: Path) -> None:
    async with Centre({"smsc": f"sqlite:///{tmp_path}/smsc.sqlite"}) as centre:
        centre.mme.answers = [ABSENT]
        first = await centre.gateway.submit(7)
        await centre.settle()
        taken = centre.mme.tpdus[0].time_stamp
        await centre.host.stop("smsc", kill=True)
        await centre.sleep(20)
        await centre.host.start("smsc")
        await centre.host.stop("esme")
        await centre.host.start("esme")
        assert await centre.gateway.submit(7) == first
        await centre.sleep(120)
        assert [each.time_stamp for each in centre.mme.tpdus] == [taken, taken]


async def test_a_killed_centre_knows_what_had_ended(tmp_path: Path) -> None:
    async with Centre({"smsc": f"sqlite:///{tmp_path}/smsc.sqlite"}) as centre:
        first = await centre.gateway.submit(7)
        await centre.settle()
        assert len(centre.mme.tpdus) == 1
        for _ in range(2):  # and again, after another restart
            await centre.host.stop("smsc", kill=True)
            await centre.host.start("smsc")
            await centre.host.stop("esme")
            await centre.host.start("esme")
            assert await centre.call("GET", "/messages") == []
            assert await centre.gateway.submit(7) == first
        assert await centre.gateway.submit(8) != first
        await centre.sleep(120)
        assert [each.user_data.octets for each in centre.mme.tpdus] == [b"read", b"read"]
        assert (await centre.call("GET", f"/cards/{IMSI}"))["used"] == 2


async def test_only_so_many_are_known_again_and_kept(tmp_path: Path) -> None:
    async with Centre({"smsc": f"sqlite:///{tmp_path}/smsc.sqlite"}) as centre:
        first = await centre.gateway.submit(1)
        for reference in (*range(2, 129), 5):
            again = await centre.gateway.submit(reference)
        await centre.settle()
        assert len(rows(centre)) == 128
        assert await centre.gateway.submit(5) == again
        assert await centre.gateway.submit(1) == first
        await centre.gateway.submit(129)
        await centre.gateway.submit(5, b"another")
        await centre.settle()
        assert await centre.gateway.submit(1) != first
        await centre.settle()
        await centre.gateway.submit(None)
        await centre.settle()
        assert len(rows(centre)) == 128


def rows(centre: Centre) -> list[Any]:
    """Return the messages in the database, over or not."""
    with centre.smsc.core.store._engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT id FROM messages ORDER BY id")))


# -- taken back


async def test_what_waits_is_taken_back_with_a_receipt() -> None:
    async with Centre() as centre:
        centre.mme.answers = [ABSENT] * 3
        one = await centre.gateway.submit(1)
        await centre.gateway.submit(2)
        await centre.settle()
        assert await centre.gateway.cancel(one) is Status.ESME_ROK
        assert await centre.gateway.cancel(one) is Status.ESME_RINVMSGID
        assert len(await centre.call("GET", "/messages")) == 1
        assert await centre.gateway.cancel() is Status.ESME_ROK
        assert await centre.gateway.cancel() is Status.ESME_RINVMSGID
        await centre.sleep(7200)
        assert len(centre.mme.tpdus) == 2
        states = [each.parameter(Tag.MESSAGE_STATE) for each in centre.gateway.receipts]
        assert states == [bytes((smpp.MessageState.DELETED,))] * 2
        assert (await centre.call("GET", f"/cards/{IMSI}"))["used"] == 0


async def test_what_is_under_way_is_not() -> None:
    async with Centre() as centre:
        held = asyncio.Event()
        deliver = centre.mme.deliver

        async def slow(message: object, peer: object) -> object:
            await held.wait()
            return await deliver(message, peer)  # type: ignore[arg-type]

        centre.mme.node.handle("SGd", "mt-forward-short-message-request", slow)  # type: ignore[arg-type]
        await centre.gateway.submit(1)
        assert await centre.gateway.cancel() is Status.ESME_RCANCELFAIL
        await centre.hss.alert()  # nor is it tried once more
        held.set()
        await centre.settle()
        assert len(centre.mme.tpdus) == 1


@pytest.mark.parametrize(
    ("source", "destination"),
    [(Address("10658001", 0, 1), TO), (FROM, Address("1440000000002", 0, 1)), (FROM, Address()), (Address(), TO)],
)
async def test_what_was_not_meant_stays(source: Address, destination: Address) -> None:
    async with Centre() as centre:
        centre.mme.answers = [ABSENT]
        await centre.gateway.submit(1)
        await centre.settle()
        assert await centre.gateway.cancel("", source, destination) is Status.ESME_RINVMSGID
        assert len(await centre.call("GET", "/messages")) == 1


@pytest.mark.parametrize("message_id", ["1", "0000000001", "x"])
async def test_an_identifier_alone_names_a_message(message_id: str) -> None:
    async with Centre() as centre:
        centre.mme.answers = [ABSENT]
        await centre.gateway.submit(1)
        await centre.settle()
        status = await centre.gateway.cancel(message_id, Address(), Address())
        assert status is (Status.ESME_RINVMSGID if message_id == "x" else Status.ESME_ROK)


async def test_another_gateway_takes_nothing_back() -> None:
    async with Centre() as centre:
        centre.mme.answers = [ABSENT]
        one = await centre.gateway.submit(1)
        await centre.settle()
        centre.smsc.core.store.message(int(one)).gateway = "another"  # type: ignore[union-attr]
        assert await centre.gateway.cancel(one) is Status.ESME_RINVMSGID


@pytest.mark.parametrize(
    ("command", "body"),
    [(Command.QUERY_SM, smpp.Query("1")), (Command.DATA_SM, smpp.DataSm(source=FROM, destination=TO))],
)
async def test_what_the_centre_does_not_do_is_told(command: Command, body: Body) -> None:
    async with Centre() as centre:
        assert (await centre.gateway.ask(command, body)).status == Status.ESME_RINVCMDID
        assert centre.mme.tpdus == []
