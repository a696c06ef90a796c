"""What the platform tells whom: the operator all, a customer its own cards, and of others not even that they exist."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from simulators.cmp.card import Card
from simulators.cmp.element import Cmp
from simulators.cmp.procedures.identity_check import check
from simwarden.errors import ManagementError
from simwarden.operations.approval import By
from simwarden.operations.management import Role
from simwarden.testing import Bench
from simwarden.trace.events import Decided

WATER, GAS, NOBODY, NONE = (f"0010100000000{n}" for n in ("11", "21", "31", "41"))
METER, PHONE, TABLET = "99000101000001", "99000201000001", "99000301000001"
APPROVED = {"approver": "J. Okonedo", "reason": "test", "form": "F-1"}


class Desk(Bench):
    """A platform with a card of each of two accounts, and one of none."""

    def __init__(self, store: str) -> None:
        super().__init__(stores={"cmp": store})
        self.cmp = self.add("cmp", Cmp, {"hss": "off"})

    async def start(self) -> None:
        await super().start()
        cards = [(WATER, "water", METER), (GAS, "gas", METER), (NOBODY, "", METER)]
        load = [{"imsi": imsi, "account": account, "imei": imei, "state": "active"} for imsi, account, imei in cards]
        await self.ask("POST", "/cards", {"cards": load}, accounts=None)
        for imsi, _, _ in cards:
            check(self.cmp.platform, imsi, PHONE)

    async def ask(
        self, method: str, path: str, body: Any = None, *, accounts: tuple[str, ...] | None = ("water",)
    ) -> Any:
        """Ask as a customer with these accounts, or as the operator (None); return the answer, or (status, reason)."""
        role = Role.OPERATOR if accounts is None else Role.CUSTOMER
        try:
            return await self.cmp.manage(role, method, path, body, caller="tester", accounts=accounts or ())
        except ManagementError as refusal:
            return refusal.status, str(refusal)

    async def listed(self, path: str, *, accounts: tuple[str, ...] | None = ("water",)) -> list[Any]:
        """Return the cards, or the records, the oldest first."""
        told = await self.ask("GET", path, accounts=accounts)
        found: list[Any] = told["cards"] if "cards" in told else told["records"][::-1]
        assert (told["next"], told["total"]) in ((0, len(found)), ("", len(found)))
        return found

    async def hand_over(self) -> None:
        """Give the card of the waterworks to the gasworks."""
        card = {"name": "", "imsi": WATER, "iccid": "", "msisdn": "", "k": "", "opc": "", "profile": "", "form": ""}
        sections = {"binding": [{"imei": METER}], "platform": [{"account": "gas"}]}
        await self.ask("PUT", f"/cards/{WATER}", {**card, "sections": sections}, accounts=None)


async def test_lists_hold_a_customers_own_cards_only(store_url: str) -> None:
    desk = Desk(store_url)

    async with desk:
        for accounts, seen in (
            (None, [WATER, GAS, NOBODY]),
            (("water",), [WATER]),
            (("water", "gas"), [WATER, GAS]),
            ((), []),
            (("",), []),
        ):
            assert [each["imsi"] for each in await desk.listed("/cards", accounts=accounts)] == seen
            assert [each["imsi"] for each in await desk.listed("/risks", accounts=accounts)] == seen
            mismatches = [each for each in await desk.listed("/audit", accounts=accounts) if each["imsi"]]
            assert [each["imsi"] for each in mismatches] == seen
        assert await desk.listed("/cards?account=gas") == []
        assert await desk.ask("GET", "/pools") == (403, "GET /pools is for the operator only")


async def test_cards_come_in_pages(store_url: str) -> None:
    desk = Desk(store_url)

    async with desk:

        async def page(query: str) -> tuple[list[str], str, int]:
            told = await desk.ask("GET", f"/cards?{query}", accounts=None)
            return [each["imsi"] for each in told["cards"]], told["next"], told["total"]

        assert await page("limit=2") == ([WATER, GAS], GAS, 3)
        assert await page(f"limit=2&after={GAS}") == ([NOBODY], "", 3)
        assert await page("limit=3") == ([WATER, GAS, NOBODY], "", 3)
        assert await page("state=active&account=gas") == ([GAS], "", 1)
        assert await page("state=closed") == ([], "", 0)
        assert (await desk.ask("GET", "/cards?state=sleeping", accounts=None))[0] == 400


async def test_records_come_in_pages_the_newest_first(store_url: str) -> None:
    desk = Desk(store_url)

    async with desk:
        for path in ("/audit", "/risks", f"/cards/{WATER}/audit"):
            check(desk.cmp.platform, WATER, PHONE)
            whole = await desk.ask("GET", path, accounts=None)
            ids = [each["id"] for each in whole["records"]]
            assert ids == sorted(ids, reverse=True)
            assert (whole["next"], whole["total"]) == (0, len(ids))
            after, found = 0, []
            while True:
                page = await desk.ask("GET", f"{path}?limit=1&after={after}", accounts=None)
                assert page["total"] == len(ids)
                found += page["records"]
                after = page["next"]
                if not after:
                    break
            assert found == whole["records"]
            assert len(found) > 1


async def test_records_are_found_by_time_and_card(store_url: str) -> None:
    desk = Desk(store_url)

    async with desk:

        async def found(query: str, *accounts: str) -> list[str]:
            said = (await desk.ask("GET", f"{path}?{query}", accounts=accounts or None))["records"]
            return [each["imsi"] for each in said if each["imsi"]]

        await desk.host.clock.sleep(3600)
        check(desk.cmp.platform, GAS, PHONE)
        for path in ("/audit", "/risks"):
            assert await found("since=2026-03-02T09:00:00Z") == [GAS]
            assert await found("since=2026-03-02T10:00:00%2B01:00") == [GAS]
            assert await found("until=2026-03-02T09:00:00Z") == [NOBODY, GAS, WATER]
            assert await found("since=2026-03-02T08:00:00Z&until=2026-03-02T09:30:00Z") == [GAS, NOBODY, GAS, WATER]
            assert await found(f"imsi={GAS}") == [GAS, GAS]
            assert await found(f"imsi={GAS}", "water") == []
            for wrong in (
                "since=yesterday",
                "since=2026-03-02T09:00:00",
                "until=0.5",
                "until=0001-01-01T00:00:00%2B01:00",
                "imsi=x",
            ):
                assert (await desk.ask("GET", f"{path}?{wrong}", accounts=None))[0] == 400


async def test_a_card_is_found_by_number_iccid_and_terminal(store_url: str) -> None:
    desk = Desk(store_url)

    async with desk:

        async def found(query: str, *accounts: str) -> list[str]:
            told = await desk.ask("GET", f"/cards?{query}", accounts=accounts or None)
            assert told["total"] == len(told["cards"])
            return [each["imsi"] for each in told["cards"]]

        new = "001010000000051"
        card = {"imsi": new, "msisdn": "1440000000051", "iccid": "8900101000000000511", "account": "water"}
        await desk.ask("POST", "/cards", {"cards": [card]}, accounts=None)
        assert check(desk.cmp.platform, new, TABLET)
        for query in (
            "msisdn=1440000000051",
            "msisdn=%2B1440000000051",
            "iccid=8900101000000000511",
            f"imei={TABLET}",
        ):
            assert await found(query) == await found(query, "water") == [new]
            assert await found(query, "gas") == []
        short = "890010100000000052"
        two = [{"imsi": "001010000000052", "iccid": short}, {"imsi": "001010000000053", "iccid": f"86{short}"}]
        await desk.ask("POST", "/cards", {"cards": two}, accounts=None)
        assert await found(f"iccid={short}") == ["001010000000052"]  # it has no country code
        assert check(desk.cmp.platform, WATER, METER)
        assert await found("account=water") == [WATER, new]
        assert await found(f"imei={METER}6") == [WATER, GAS, NOBODY]
        assert await found(f"imei={METER}01", "gas") == [GAS]
        body = _provision(new) | {"sections": {"platform": [{"account": "gas"}]}}
        await desk.ask("PUT", f"/cards/{new}", body, accounts=None)
        assert await found(f"imei={TABLET}") == [new]
        assert await found(f"imei={TABLET}", "gas") == []  # it was there when it was the waterworks'
        for wrong in ("msisdn=x", "iccid=x", "imei=1", "imei=99000101000001x"):
            assert (await desk.ask("GET", f"/cards?{wrong}", accounts=None))[0] == 400


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("GET", "", None),
        ("GET", "/audit", None),
        ("GET", "/risks", None),
        ("PUT", "/binding", {"imei": PHONE, **APPROVED}),
        ("DELETE", "/binding", APPROVED),
        ("POST", "/operations/suspend", APPROVED),
    ],
)
async def test_a_card_of_another_customer_is_as_if_it_were_not(method: str, below: str, body: Any) -> None:
    desk = Desk("")

    async with desk:
        told = [await desk.ask(method, f"/cards/{imsi}{below}", body) for imsi in (GAS, NOBODY, NONE)]
        assert told == [(404, f"cmp has no card {imsi}") for imsi in (GAS, NOBODY, NONE)]
        own = await desk.ask(method, f"/cards/{WATER}{below}", body)
        assert own[1].endswith(", the operator does") if body else own
        assert not isinstance(own, tuple) or own[0] == 403
        audit = await desk.listed("/audit", accounts=None)
        looks = [each for each in audit if each["action"] == "look-refused"]
        assert [each["imsi"] for each in looks] == [GAS, NOBODY, NONE]
        kept = [(each["caller"], each["details"]) for each in looks]
        assert kept == [kept[0]] * 3
        assert kept[0][0] == "tester"
    refused = [e.decision for e in desk.host.trace.events if isinstance(e, Decided) and not e.decision.admitted]
    looks = [each for each in refused if each.control.id == "cmp.own"]
    assert [each.subject for each in looks] == [GAS, NOBODY, NONE]
    assert [(each.reason, each.details) for each in looks] == [(looks[0].reason, looks[0].details)] * 3


async def test_the_database_is_asked_the_same_about_a_card_of_somebody_else_and_about_none() -> None:
    desk = Desk("")

    async with desk:
        engine, said = desk.cmp.platform.store._engine, []
        sa.event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
        asked = []
        for imsi in (GAS, NOBODY, NONE):
            said.clear()
            assert (await desk.ask("GET", f"/cards/{imsi}"))[0] == 404
            asked.append(list(said))
        assert asked == [asked[0]] * 3
        assert len(asked[0]) == 2


async def test_a_refused_look_stands_in_the_operators_audit_only() -> None:
    desk = Desk("")

    async def actions(*accounts: str) -> list[str]:
        told = await desk.listed(f"/cards/{GAS}/audit", accounts=accounts or None)
        return [each["action"] for each in told]

    async with desk:
        assert (await desk.ask("GET", f"/cards/{GAS}"))[0] == 404
        assert (await desk.ask("PUT", f"/cards/{GAS}/binding", {"imei": PHONE}, accounts=("gas",)))[0] == 403
        assert await actions() == ["mismatch", "look-refused", "bind-refused"]
        assert await actions("gas") == ["mismatch", "bind-refused"]
        listed = await desk.listed("/audit", accounts=("gas",))
        assert [each["action"] for each in listed] == ["mismatch", "bind-refused"]


async def test_a_customer_fills_the_audit_with_no_long_texts() -> None:
    desk = Desk("")

    async with desk:
        assert (await desk.ask("GET", f"/cards/{'9' * 60_000}"))[0] == 404
        assert (await desk.ask("PUT", f"/cards/{WATER}/binding", {"imei": PHONE, "reason": "x" * 501}))[0] == 400
        kept = await desk.listed("/audit", accounts=None)
        assert not [each for each in kept if each["caller"] == "tester" and each["role"] == "customer"]


async def test_a_card_that_is_handed_over_is_no_longer_seen() -> None:
    desk = Desk("")

    async with desk:
        assert (await desk.ask("GET", f"/cards/{WATER}"))["account"] == "water"
        await desk.hand_over()
        assert (await desk.ask("GET", f"/cards/{WATER}"))[0] == 404
        assert await desk.listed("/risks") == []
        assert (await desk.ask("GET", f"/cards/{WATER}", accounts=("gas",)))["imsi"] == WATER


async def test_who_is_given_a_card_learns_nothing_of_its_risks_before() -> None:
    desk = Desk("")

    async with desk:
        before = await desk.listed(f"/cards/{WATER}/risks")
        assert len(before) == 1
        await desk.hand_over()
        assert await desk.listed(f"/cards/{WATER}/risks", accounts=("gas",)) == []
        assert [each["imsi"] for each in await desk.listed("/risks", accounts=("gas",))] == [GAS]
        check(desk.cmp.platform, WATER, PHONE)
        assert len(await desk.listed(f"/cards/{WATER}/risks", accounts=("gas",))) == 1
        assert len(await desk.listed(f"/cards/{WATER}/risks", accounts=None)) == 2


async def test_who_is_given_a_card_sees_the_audit_since_then_only(store_url: str) -> None:
    desk = Desk(store_url)

    async def actions(path: str, *accounts: str) -> list[str]:
        told = await desk.listed(path, accounts=accounts or None)
        return [each["action"] for each in told if each["imsi"] == WATER]

    async with desk:
        path = f"/cards/{WATER}/audit"
        check(desk.cmp.platform, WATER, PHONE)
        whole = await actions(path, "water")
        assert whole == await actions(path) != []
        assert (await desk.listed("/audit", accounts=None))[-1]["imsi"] == WATER  # the last record of all is of before
        await desk.hand_over()
        assert await actions("/audit", "water") == []
        for where in (path, "/audit"):
            assert await actions(where, "gas") == ["provision"]
        await desk.hand_over()  # told again, which is no change
        await desk.ask("POST", f"/cards/{WATER}/operations/suspend", APPROVED, accounts=None)
        for where in (path, "/audit"):
            assert await actions(where, "gas") == ["provision", "provision", "suspend"]
            assert await actions(where) == [*whole, "provision", "provision", "suspend"]


def _provision(imsi: str, **more: str) -> dict[str, str]:
    return {"name": "", "imsi": imsi, "iccid": "", "msisdn": "", "k": "", "opc": "", "profile": "", "form": ""} | more


@pytest.mark.parametrize("what", ["msisdn", "iccid"])
async def test_a_number_and_an_iccid_are_those_of_one_card(what: str, store_url: str) -> None:
    desk = Desk(store_url)

    async def put(imsi: str, value: str) -> Any:
        sections = {"binding": [{"imei": METER}], "platform": [{"account": "water"}]}
        body = {**_provision(imsi, **{what: value}), "sections": sections}
        return await desk.ask("PUT", f"/cards/{imsi}", body, accounts=None)

    async with desk:
        new = [f"00101000000009{n}" for n in range(3)]
        assert (await put(WATER, "1440000000001"))[what] == "1440000000001"
        assert await put(GAS, "1440000000001") == (409, f"another card has the {what} 1440000000001")
        assert (await put(WATER, "1440000000001"))[what] == "1440000000001"
        for numbers, status in (
            (("1440000000001", "1440000000002"), 409),
            (("1440000000003", "1440000000003"), 400),
            (("1440000000003", "letters"), 400),
        ):
            load = [{"imsi": imsi, what: number} for imsi, number in zip(new, numbers, strict=False)]
            assert (await desk.ask("POST", "/cards", {"cards": load}, accounts=None))[0] == status
        assert len(await desk.listed("/cards", accounts=None)) == 3
        load = [{"imsi": imsi, what: number} for imsi, number in zip(new, ("", "", "1440000000005"), strict=True)]
        assert await desk.ask("POST", "/cards", {"cards": load}, accounts=None) == {"cards": 3}
        for wrong in ("1440 0000", "letters", "1" * 21, "\u0661\u0662"):
            assert (await put(GAS, wrong))[0] == 400


@pytest.mark.parametrize("held", ["1440000000001", "861440000000001"])
async def test_a_number_is_one_however_it_is_written(held: str, store_url: str) -> None:
    desk = Desk(store_url)
    async with desk:
        load = [{"imsi": "001010000000090", "msisdn": held}]
        assert await desk.ask("POST", "/cards", {"cards": load}, accounts=None) == {"cards": 1}
        for written in ("1440000000001", "861440000000001", "+861440000000001"):
            other: dict[str, Any] = {**_provision("001010000000091", msisdn=written), "sections": {}}
            assert (await desk.ask("PUT", "/cards/001010000000091", other, accounts=None))[0] == 409
            load = [{"imsi": "001010000000092", "msisdn": written}]
            assert (await desk.ask("POST", "/cards", {"cards": load}, accounts=None))[0] == 409
            found = await desk.listed(f"/cards?msisdn={written.replace('+', '%2B')}", accounts=None)
            assert [each["imsi"] for each in found] == ["001010000000090"]
            card = desk.cmp.platform.find(By(), msisdn=written)
            assert card is not None
            assert card.imsi == "001010000000090"
        load = [{"imsi": f"00101000000009{n}", "msisdn": f"{code}1440000000005"} for n, code in ((2, ""), (3, "+86"))]
        assert (await desk.ask("POST", "/cards", {"cards": load}, accounts=None))[0] == 400
        load = [{"imsi": imsi} for imsi in ("14400000000", "8614400000000")]  # these are no numbers, and two
        assert await desk.ask("POST", "/cards", {"cards": load}, accounts=None) == {"cards": 2}


async def test_a_number_that_two_cards_have_since_before_is_nobodys() -> None:
    desk = Desk("")

    async with desk:
        for imsi in (WATER, GAS):
            desk.cmp.platform.store.put(
                Card(imsi=imsi, msisdn="1440000000001"),
                {"at": "", "role": "", "caller": "", "action": "", "imsi": "", "details": {}},
            )
        assert desk.cmp.platform.find(By(), msisdn="1440000000001") is None


async def test_who_has_a_card_that_is_provisioned_again_sees_its_audit_as_before() -> None:
    desk = Desk("")

    async def actions() -> list[str]:
        return [each["action"] for each in (await desk.ask("GET", f"/cards/{WATER}/audit"))["records"]]

    async with desk:
        before = await actions()
        await desk.host.clock.sleep(3600)
        held = await desk.ask("GET", f"/cards/{WATER}", accounts=None)
        card = {
            "name": "",
            "imsi": WATER,
            "iccid": "",
            "msisdn": held["msisdn"],
            "k": "",
            "opc": "",
            "profile": "",
            "form": "",
        }
        sections = {"binding": [{"imei": METER}], "platform": [{"account": "water"}]}
        await desk.ask("PUT", f"/cards/{WATER}", {**card, "sections": sections}, accounts=None)
        await desk.ask("PUT", f"/cards/{WATER}", {**card, "sections": sections}, accounts=None)
        assert (await actions())[-len(before) :] == before
        assert before
