"""Who may bind at a gateway, and what becomes of one that tries passwords."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from business import ACCOUNTS, CODE, MSISDN, Business
from pydantic import ValidationError

from simulators.platform.element import Platform
from simulators.sms_gateway.config import Account
from simulators.sms_gateway.passwords import hashed, matches
from simulators.sms_gateway.procedures import binding
from simwarden.errors import ManagementError
from simwarden.machine.smpp_session import Event, SmppSession
from simwarden.machine.smpp_table import Role
from simwarden.machine.windowed_session import BindAnswered
from simwarden.runtime.clock import Clock
from simwarden.runtime.driven import Driven
from simwarden.runtime.store import StoreUnavailableError, sqlite_url
from simwarden.trace.events import Frame
from simwarden.wire import cmpp, smpp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def set_password(bench: Business, password: str) -> None:
    """Give the platform another password, with which it does not bind by itself."""
    await bench.host.stop("platform")
    bench.platform.config = bench.platform.config.model_copy(update={"password": password, "at_start": False})
    await bench.host.start("platform")


def test_a_hash_is_known_for_its_password_alone() -> None:
    kept = hashed("s3cret", bytes(16))
    assert kept.startswith("scrypt:")
    assert hashed(kept, b"x") == kept
    assert matches("s3cret", kept)
    assert not matches("s3cres", kept)
    assert not matches("", hashed("", bytes(16)))
    assert not matches("scrypt:", "scrypt:")


@pytest.mark.parametrize(
    "wrong", [{"password": "guess"}, {"system_id": "nobody"}, {"password": ""}, {"system_id": "", "password": ""}]
)
async def test_a_wrong_bind_says_not_what_is_wrong(wrong: dict[str, str]) -> None:
    async with Business(platform={**wrong, "at_start": "no"}) as bench:
        assert await bench.do("platform", "bind_platform", platform="platform") == "refused"
        assert bench.decisions("sms.bind")[-1].reason == "there is no such account with this password or secret"


async def test_one_address_tries_so_many_passwords_and_another_is_not_kept_out() -> None:
    async with Business(platform={"password": "guess", "at_start": "no"}) as bench:
        for _ in range(6):
            assert await bench.do("platform", "bind_platform", platform="platform") == "refused"
        seen = [each.details["seen"] for each in bench.decisions("sms.bind") if not each.admitted]
        assert seen == ["wrong"] * 5 + ["too many"]
        await set_password(bench, "s3cret")
        assert await bench.do("platform", "bind_platform", platform="platform") == "refused"
        await bench.do("heating", "unbind_platform", platform="heating")
        assert await bench.do("heating", "bind_platform", platform="heating") == "bound"
        await bench.sleep(300)
        assert await bench.do("platform", "bind_platform", platform="platform") == "bound"


@pytest.mark.parametrize("change", ["password", "deleted", "another's name"])
async def test_who_proves_to_be_what_an_account_was_does_not_bind(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Business(platform={"at_start": "no"}) as bench:

        async def meanwhile(_clock: Clock, compute: Callable[..., Any], *args: Any) -> Any:
            monkeypatch.undo()
            if change == "deleted":
                await bench.call("DELETE", "/accounts/waterworks")
            else:
                name = "other" if change == "another's name" else "meters"
                await bench.call("PUT", "/accounts/waterworks", {"system_id": name, "password": "changed"})
            return compute(*args)

        monkeypatch.setattr(Clock, "off_loop", meanwhile)
        assert await bench.do("platform", "bind_platform", platform="platform") == "refused"


async def test_two_accounts_put_at_once_have_no_name_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Business() as bench:

        async def later(_clock: Clock, compute: Callable[..., Any], *args: Any) -> Any:
            await asyncio.sleep(0)
            return compute(*args)

        monkeypatch.setattr(Clock, "off_loop", later)
        puts = [bench.call("PUT", f"/accounts/{name}", {"system_id": "same", "password": name}) for name in "ab"]
        first, second = await asyncio.gather(*puts, return_exceptions=True)
        assert isinstance(first, dict)
        assert isinstance(second, ManagementError)
        assert second.status == 409


async def test_a_customer_binds_only_from_its_addresses() -> None:
    accounts = {**ACCOUNTS, "waterworks": {**ACCOUNTS["waterworks"], "hosts": ["office"]}}
    async with Business(accounts=accounts, platform={"at_start": "no"}) as bench:
        bench.add("office", Platform, {"system_id": "meters", "password": "s3cret"})
        await bench.host.start("office")
        assert bench.observed("bind", element="office") == ["bound"]
        assert await bench.do("platform", "bind_platform", platform="platform") == "refused"
        assert bench.decisions("sms.bind")[-1].details["seen"] == "another address"


@pytest.mark.parametrize(
    ("hosts", "address", "admitted"),
    [
        (["192.0.2.0/24"], "192.0.2.7", True),
        (["192.0.2.0/24"], "::ffff:192.0.2.7", True),
        (["192.0.2.0/24"], "198.51.100.7", False),
        (["192.0.2.7"], "192.0.2.7", True),
        (["192.0.2.7"], "192.0.2.8", False),
        (["2001:db8::/32", "office"], "2001:db8::7", True),
        (["2001:db8::/32", "office"], "office", True),
        (["0.0.0.0/0"], "platform", False),
    ],
)
@pytest.mark.parametrize("protocol", ["smpp", "cmpp"])
async def test_customer_binds_from_its_networks_only(
    protocol: str, hosts: list[str], address: str, *, admitted: bool
) -> None:
    accounts = {**ACCOUNTS, "waterworks": {**ACCOUNTS["waterworks"], "hosts": hosts}}
    async with Business(accounts=accounts, platform={"at_start": "no"}) as bench:
        core = bench.gateway.core
        if protocol == "smpp":
            customer = await binding.bind(core, smpp.Bind("meters", "s3cret"), address)
        else:
            stamp = int(f"{bench.clock.local():%m%d%H%M%S}")
            proof = cmpp.authenticator("901234", "shared", stamp)
            customer, _ = binding.connect(core, cmpp.Connect("901234", proof, time_stamp=stamp), address)
        assert (customer is not None) is admitted


@pytest.mark.parametrize("host", ["192.0.2.1/24", "192.0.2.0/33", "platform.example.net", "192.0.2.7:2775", ""])
def test_host_that_could_never_match_is_an_error_of_the_file(host: str) -> None:
    with pytest.raises(ValidationError, match="expected an address, a network"):
        Account(system_id="meters", hosts=(host,))


@pytest.mark.parametrize(
    "second",
    [
        {"system_id": "meters", "password": "s3cret"},
        {"protocol": "cmpp", "source_addr": "901234", "secret": "shared"},
    ],
)
async def test_an_account_has_so_many_binds(second: dict[str, str]) -> None:
    async with Business(customers={"binds": "1"}) as bench:
        bench.add("second", Platform, second)
        await bench.host.start("second")
        assert bench.observed("bind", element="second") == ["refused"]


async def test_another_password_ends_the_binds(tmp_path: Path) -> None:
    async with Business(store=sqlite_url(tmp_path / "store")) as bench:
        await bench.call("PUT", "/accounts/waterworks", {**ACCOUNTS["waterworks"], "password": "n3w"})
        await bench.settle()
        assert bench.observed("bind", element="platform")[-1] == "unbound"
        await bench.sleep(11)
        assert bench.observed("bind", element="platform")[-1] == "refused"
        await set_password(bench, "n3w")
        await bench.host.stop("sms_gateway", kill=True)
        await bench.host.start("sms_gateway")
        assert await bench.do("platform", "bind_platform", platform="platform") == "bound"
        told = await bench.call("GET", "/accounts")
        assert "n3w" not in str(told)
        assert "shared" not in str(told)
        assert bench.gateway.core.customers["waterworks"].account.password.startswith("scrypt:")
    assert (tmp_path / "store").stat().st_mode & 0o077 == 0


async def test_names_are_one_customers_and_a_deleted_one_is_gone() -> None:
    async with Business() as bench:
        assert await bench.refused("PUT", "/accounts/thief", {"system_id": "meters", "password": "x"}) == 409
        assert await bench.refused("DELETE", "/accounts/thief") == 404
        await bench.call("DELETE", "/accounts/waterworks")
        await bench.settle()
        assert bench.observed("bind", element="platform")[-1] == "unbound"
        await bench.sleep(11)
        assert bench.observed("bind", element="platform")[-1] == "refused"


async def test_a_deleted_customer_stays_deleted_until_it_is_taken_again(store_url: str) -> None:
    """The settings name it still, and count as long as management has said nothing else."""
    async with Business(store=store_url, platform={"at_start": "no"}) as bench:
        await bench.call("DELETE", "/accounts/waterworks")
        for taken, outcome in ((False, "refused"), (True, "bound")):
            if taken:
                await bench.call("PUT", "/accounts/waterworks", ACCOUNTS["waterworks"])
            await bench.host.stop("sms_gateway", kill=True)
            await bench.host.start("sms_gateway")
            assert await bench.do("platform", "bind_platform", platform="platform") == outcome


# -- CMPP

CMPP: dict[str, Any] = {"protocol": "cmpp", "source_addr": "901234", "secret": "shared"}


async def test_a_time_stamp_is_good_once_also_after_a_killed_gateway(tmp_path: Path) -> None:
    async with Business(platform=CMPP, store=sqlite_url(tmp_path / "store")) as bench:
        assert bench.observed("bind", element="platform") == ["bound"]
        await bench.do("platform", "unbind_platform", platform="platform")
        assert await bench.do("platform", "bind_platform", platform="platform") == "refused"
        await bench.call("PUT", "/accounts/waterworks", {**ACCOUNTS["waterworks"], "rate": "10"})
        await bench.host.stop("sms_gateway", kill=True)
        await bench.host.start("sms_gateway")
        assert await bench.do("platform", "bind_platform", platform="platform") == "refused"
        await bench.sleep(1)
        assert await bench.do("platform", "bind_platform", platform="platform") == "bound"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"secret": "guess"}, cmpp.ConnectStatus.AUTHENTICATION_ERROR),
        ({"source_addr": "999999"}, cmpp.ConnectStatus.ILLEGAL_SOURCE_ADDRESS),
        ({"source_addr": "", "secret": ""}, cmpp.ConnectStatus.ILLEGAL_SOURCE_ADDRESS),
    ],
)
async def test_a_wrong_secret_is_refused(wrong: dict[str, str], status: cmpp.ConnectStatus) -> None:
    async with Business(platform={**CMPP, **wrong}) as bench:
        assert bench.observed("bind", element="platform") == ["refused"]
        (*_, last) = [cmpp.decode(each.data) for each in bench.of(Frame) if each.interface == "CMPP"]
        assert last.body == cmpp.Connected(status)
        assert bench.verdicts("sms.bind").count(False) == 1


async def test_a_customer_with_a_window_of_one_is_handed_one_message_after_another() -> None:
    async with Business(customers={"window": 1}) as bench:
        bench.smsc.deliver(f"+{MSISDN}", CODE, b"17 kWh")
        bench.smsc.deliver(f"+{MSISDN}", CODE, b"18 kWh")
        await bench.settle()
        assert bench.texts() == ["17 kWh", "18 kWh"]


async def test_a_customer_without_a_secret_has_no_cmpp() -> None:
    accounts = {**ACCOUNTS, "waterworks": {"source_addr": "901234"}}
    async with Business(accounts=accounts, platform={**CMPP, "secret": ""}) as bench:
        assert bench.observed("bind", element="platform") == ["refused"]
        assert [each.details["seen"] for each in bench.decisions("sms.bind") if not each.admitted] == ["wrong"]


async def test_a_connection_whose_time_stamp_cannot_be_kept_is_refused_for_now() -> None:
    async with Business(platform={**CMPP, "at_start": "no"}) as bench:
        store = bench.gateway.core.store
        keep = store.keep_stamp
        store.keep_stamp = away  # type: ignore[method-assign, assignment]
        assert await bench.do("platform", "bind_platform", platform="platform") == "refused"
        frames = [cmpp.decode(each.data) for each in bench.of(Frame) if each.interface == "CMPP"]
        assert isinstance(frames[-1].body, cmpp.Connected)
        assert frames[-1].body.status == cmpp.ConnectStatus.OTHER_ERROR
        store.keep_stamp = keep  # type: ignore[method-assign]
        assert await bench.do("platform", "bind_platform", platform="platform") == "bound"


def away(*_arguments: object) -> None:
    """Stand for a database that does not answer."""
    raise StoreUnavailableError("the database does not answer")


@pytest.mark.parametrize("platform", [{}, CMPP])
async def test_who_has_proven_who_it_is_is_no_stranger(platform: dict[str, str]) -> None:
    async with Business(platform=platform) as bench:
        await bench.platform.site.connect("SMPP", "sms_gateway")
        await bench.settle()
        known = [each._link.known for each in bench.gateway._binds]
        assert (known.count(True), known.count(False)) == (3, 1)


async def test_binds_at_once_on_a_connection_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Business(platform={"at_start": "no"}) as bench:

        async def twice(_clock: Clock, compute: Callable[..., Any], *args: Any) -> Any:
            monkeypatch.undo()
            session: Any = bench.platform._gateway
            session._session.bind(smpp.Command.BIND_TRANSMITTER, smpp.Bind("meters", "s3cret"), bench.clock.now())
            session._driven.settle()
            await bench.settle()
            return compute(*args)

        monkeypatch.setattr(Clock, "off_loop", twice)
        await bench.do("platform", "bind_platform", platform="platform")
        await bench.settle()
        frames = [smpp.decode(each.data) for each in bench.of(Frame) if each.interface == "SMPP"]
        answers = {each.command: each.status for each in frames if each.command & smpp.RESPONSE}
        assert answers[smpp.Command.BIND_TRANSMITTER_RESP] == smpp.Status.ESME_RALYBND
        assert answers[smpp.Command.BIND_TRANSCEIVER_RESP] == smpp.Status.ESME_ROK


async def test_a_bind_that_was_refused_is_tried_again_on_its_connection() -> None:
    async with Business(platform={"at_start": "no"}) as bench:
        heard = list[int]()

        def take(event: Event) -> None:
            if isinstance(event, BindAnswered):
                heard.append(event.status)
                if event.status:
                    session.bind(smpp.Command.BIND_RECEIVER, smpp.Bind("meters", "s3cret"), bench.clock.now())

        link = await bench.platform.site.connect("SMPP", "sms_gateway")
        session = SmppSession(Role.ESME, bench.clock.now())
        session.bind(smpp.Command.BIND_RECEIVER, smpp.Bind("meters", "guess"), bench.clock.now())
        driven = Driven(bench.platform.site, link, session, take)
        await bench.settle()
        assert heard == [smpp.Status.ESME_RINVPASWD, 0]
        driven.drop()


async def test_who_is_gone_before_its_password_is_found_right_is_not_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Business(platform={"at_start": "no"}) as bench:

        async def gone(_clock: Clock, compute: Callable[..., Any], *args: Any) -> Any:
            monkeypatch.undo()
            await bench.host.stop("platform", kill=True)
            await bench.settle()
            return compute(*args)

        monkeypatch.setattr(Clock, "off_loop", gone)
        asking = asyncio.ensure_future(bench.do("platform", "bind_platform", platform="platform"))
        await bench.sleep(1)
        asking.cancel()
        assert bench.gateway.core.customers["waterworks"].binds == []
        assert bench.observed("bind", element="sms_gateway", key="waterworks") == []
