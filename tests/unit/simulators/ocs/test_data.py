"""Octets by Gy: nothing is given that is not counted, and nothing twice."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from charging import IMSI, REALM, SUBSCRIBER
from credit_net import (
    APPROVED,
    DEBIT,
    GROUPS,
    INITIAL,
    SMS,
    TERMINATION,
    UPDATE,
    Net,
    ScriptedClient,
    card,
    given,
    group,
)

from simwarden.runtime.diameter import Unreachable
from simwarden.runtime.store import StoreUnavailableError
from simwarden.trace.events import Note
from simwarden.wire.diameter import first

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.ocs.store import Session
    from simwarden.wire.diameter import Avps

S, T = f"pgw.{REALM};1;1", f"pgw.{REALM};1;2"
RAT = "Service-Information"


@pytest.mark.parametrize("transport", ["memory", "tcp"])
async def test_a_quota_is_given_out_in_pieces_and_ends_with_final_units(transport: str) -> None:
    async with Net({"data": 2500}, transport=transport) as net:
        told = [await net.pgw.ccr(S, INITIAL, 0, group())]
        told += [await net.pgw.ccr(S, UPDATE, number, group(1000)) for number in (1, 2)]
        assert [given(each) for each in told] == [(2001, 1000), (2001, 1000), (2001, 500)]
        terms = [first(each.get(GROUPS), "Final-Unit-Indication") for each in told]
        assert terms == [None, None, [("Final-Unit-Action", 0)]]
        assert [first(each.get(GROUPS), "Volume-Quota-Threshold") for each in told] == [200, 200, None]
        assert {each.get("Credit-Control-Failure-Handling") for each in told} == {0}
        assert await net.used() == 2500
        over = await net.pgw.ccr(S, UPDATE, 3, group(500))
        assert (over.result_code, given(over)) == (2001, (4012, None))
        assert (await net.pgw.ccr(S, TERMINATION, 4)).success
        refused = await net.pgw.ccr(T, INITIAL, 0, group())
        assert (refused.result_code, given(refused)) == (4012, (4012, None))
    assert net.verdicts("ocs.data") == [True, True, True, False, False]


async def test_what_was_not_used_comes_back_by_its_report_and_by_nothing_else() -> None:
    async with Net({"data": 3000}) as net:
        await net.pgw.ccr(S, INITIAL, 0, group(), group(rating=20))
        assert await net.used() == 2000
        await net.pgw.ccr(S, UPDATE, 1, group(300, ask=None))
        assert await net.used() == 1300
        await net.pgw.ccr(S, UPDATE, 2, group(rating=20))  # reports nothing of what it was given
        assert await net.used() == 2300
        await net.pgw.ccr(S, TERMINATION, 3)
        assert await net.used() == 2300


async def test_sessions_and_groups_of_a_card_share_its_quota() -> None:
    async with Net({"data": 2500}) as net:
        first_ = await net.pgw.ccr(S, INITIAL, 0, group(), group(rating=20))
        second = await net.pgw.ccr(T, INITIAL, 0, group())
        assert [given(first_), given(first_, 20), given(second)] == [(2001, 1000), (2001, 1000), (2001, 500)]
        third = await net.pgw.ccr(T, UPDATE, 1, group(500))
        assert given(third) == (4012, None)
        await net.pgw.ccr(S, UPDATE, 1, group(0, ask=None))  # gives its thousand back
        assert given(await net.pgw.ccr(T, UPDATE, 2, group())) == (2001, 1000)


async def test_what_may_be_used_until_the_answer_is_there_stays_reserved() -> None:
    async with Net({"data": 1000}) as net:
        await net.pgw.ccr(S, INITIAL, 0, group())
        assert given(await net.pgw.ccr(S, UPDATE, 1, group(800))) == (2001, 200)
        await net.call("PUT", f"/cards/{IMSI}/quota", {"data": 900, **APPROVED})
        assert given(await net.pgw.ccr(T, INITIAL, 0, group())) == (4012, None)
        assert given(await net.pgw.ccr(S, UPDATE, 2, group(50))) == (2001, 50)
        assert await net.used() == 1000  # 850, and 150 that may be used meanwhile
        await net.pgw.ccr(S, TERMINATION, 3, group(150, ask=None))
        assert await net.used() == 1000
    async with Net({"data": 1000}) as net:
        await net.pgw.ccr(S, INITIAL, 0, group())
        await net.call("PUT", f"/cards/{IMSI}/quota", {"data": 100, **APPROVED})
        assert given(await net.pgw.ccr(S, UPDATE, 1, group(800))) == (4012, None)
        assert await net.used() == 1000
        await net.pgw.ccr(S, TERMINATION, 2, group(0, ask=None))
        assert await net.used() == 800


async def test_units_are_held_for_as_long_as_is_set_and_no_time_is_said_for_none() -> None:
    for holding, told in ((0, None), (30, 30)):
        async with Net({"data": 5000}, holding=holding) as net:
            (answered,) = (await net.pgw.ccr(S, INITIAL, 0, group())).all(GROUPS)
            assert first(answered, "Quota-Holding-Time") == told


async def test_of_octets_by_direction_the_sum_counts_and_what_is_beyond_the_grant_too() -> None:
    async with Net({"data": 9000}) as net:
        await net.pgw.ccr(S, INITIAL, 0, group())
        used = [("Used-Service-Unit", [("CC-Input-Octets", 700), ("CC-Output-Octets", 900)]), ("Rating-Group", 10)]
        await net.pgw.ccr(S, TERMINATION, 1, used)
        assert await net.used() == 1600


async def test_more_than_anybody_uses_is_as_much_and_others_are_served(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ocs.db"
    async with Net({"data": 2500}, store=url) as net:
        await net.call("PUT", "/cards/001010000000099", card({"data": 100}, "001010000000099", "861440000000099"))
        await net.pgw.ccr(S, INITIAL, 0, group())
        for number in range(1, 5):
            assert given(await net.pgw.ccr(S, UPDATE, number, group((1 << 64) - number))) == (4012, None)
        who = [("Subscription-Id", [("Subscription-Id-Type", 1), ("Subscription-Id-Data", "001010000000099")])]
        assert (await net.pgw.ccr(T, INITIAL, 0, group(), who=who)).result_code == 2001
    async with Net(store=url) as net:
        assert (await net.pgw.ccr("other", INITIAL, 0, group())).result_code == 4012


async def test_a_repeated_request_gets_its_answer_and_counts_once(tmp_path: Path) -> None:
    async with Net({"data": 5000}, store=f"sqlite:///{tmp_path}/ocs.db") as net:
        answer = await net.pgw.ccr(S, INITIAL, 0, group())
        again = await net.pgw.ccr(S, INITIAL, 0, group(), again=True)
        assert again.avps == answer.avps
        update = await net.pgw.ccr(S, UPDATE, 1, group(1000))
        await net.host.stop("ocs", kill=True)
        await net.host.start("ocs")
        await net.sleep(60)
        late = await net.pgw.ccr(S, UPDATE, 1, group(1000), again=True)
        assert late.avps == update.avps
        assert await net.used() == 2000
        end = await net.pgw.ccr(S, TERMINATION, 2, group(400, ask=None))
        assert (await net.pgw.ccr(S, TERMINATION, 2, group(400, ask=None))).avps == end.avps
        assert await net.used() == 1400


async def test_requests_of_a_session_that_come_at_once_are_served_one_after_the_other() -> None:
    """A gateway reports of each rating group by itself, and may end a session before it has the last answer."""
    async with Net({"data": 9000}) as net:
        keep = net.ocs.core.keep

        async def slow(session: Session) -> bool:
            await net.clock.sleep(1)
            return await keep(session)

        net.ocs.core.keep = slow  # type: ignore[method-assign, assignment]
        asked = (net.pgw.ccr(S, INITIAL, 0, group(), group(rating=20)), net.pgw.ccr(T, INITIAL, 0, group()))
        await asyncio.gather(*asked)
        both = await asyncio.gather(*(net.pgw.ccr(S, UPDATE, 1, group(1000), again=each) for each in (False, True)))
        assert both[0].avps == both[1].avps
        assert await net.used() == 4000
        told = await asyncio.gather(
            net.pgw.ccr(S, UPDATE, 2, group(300)),
            net.pgw.ccr(S, UPDATE, 3, group(500, rating=20)),
            net.pgw.ccr(S, TERMINATION, 4, group(100, ask=None), group(200, ask=None, rating=20)),
            net.pgw.ccr(S, UPDATE, 5, group(0)),
        )
        assert [each.result_code for each in told] == [2001, 2001, 2001, 5002]
        assert [given(told[0]), given(told[1], 20)] == [(2001, 1000), (2001, 1000)]
        assert await net.used() == 1000 + 300 + 500 + 100 + 200 + 1000
        assert [each.session for each in net.ocs.core.store.open_sessions()] == [T]


async def test_groups_of_several_services_draw_from_one_grant_and_report_of_it_together() -> None:
    """Where a gateway reports by Service-Identifier, several groups of a request are of one Rating-Group."""

    def of(service: int, *more: Any) -> Avps:
        return [*group(*more[:1], ask=more[1]), ("Service-Identifier", service)]

    async with Net({"data": 9000}) as net:
        first_ = await net.pgw.ccr(S, INITIAL, 0, of(1, None, 0), of(2, None, 0))
        assert [first(each, "Granted-Service-Unit") for each in first_.all(GROUPS)] == [[("CC-Total-Octets", 1000)]] * 2
        assert await net.used() == 2000
        await net.pgw.ccr(S, UPDATE, 1, of(1, 300, None), of(2, 500, None), of(3, None, 0))
        # 800 are used; what is left of the two thousand may be until the answer is there, and is more than is given
        assert await net.used() == 2000
        await net.pgw.ccr(S, TERMINATION, 2, of(1, 100, None), of(2, 200, None))
        assert await net.used() == 1100


async def test_a_card_of_no_known_use_is_one_of_small_data() -> None:
    async with Net() as net:
        told = await net.call("PUT", f"/cards/{IMSI}", card({"data": 1000}, profile="nobody-knows"))
        assert (told["use"], told["large"]) == ("", False)


async def test_a_request_out_of_its_place() -> None:
    async with Net({"data": 5000}) as net:
        assert (await net.pgw.ccr(S, UPDATE, 1, group(0))).result_code == 5002
        await net.pgw.ccr(S, INITIAL, 0, group())
        await net.pgw.ccr(S, UPDATE, 5, group(1000))
        assert (await net.pgw.ccr(S, UPDATE, 4, group(1000))).result_code == 5004
        assert (await net.pgw.ccr(S, INITIAL, 6, group())).result_code == 5004
        await net.pgw.ccr(S, TERMINATION, 7, group(0, ask=None))
        assert (await net.pgw.ccr(S, UPDATE, 8, group(0))).result_code == 5002
        assert await net.used() == 1000


async def test_a_session_is_that_of_who_began_it() -> None:
    net = Net({"data": 5000})
    other = net.add("smsc", ScriptedClient)
    async with net:
        await net.pgw.ccr(S, INITIAL, 0, group())
        assert (await other.ccr(S, TERMINATION, 1, group(0, ask=None))).result_code == 5002
        assert (await other.ccr(S, INITIAL, 0, group())).result_code == 5004
        assert await net.used() == 1000
        assert given(await net.pgw.ccr(S, UPDATE, 1, group(1000))) == (2001, 1000)


NUMBER: Avps = [("Subscription-Id", [("Subscription-Id-Type", 0), ("Subscription-Id-Data", "861440000000099")])]


@pytest.mark.parametrize(
    ("more", "result"),
    [
        ({"context": "8.32251@3gpp.org"}, 2001),
        ({"context": "32255@3gpp.org"}, 5031),
        ({"context": ""}, 5031),
        ({"context": SMS}, 5031),
        ({"who": SUBSCRIBER[:1]}, 2001),
        ({"who": SUBSCRIBER[1:]}, 2001),
        ({"who": []}, 5030),
        ({"who": NUMBER}, 5030),
        ({"who": [*SUBSCRIBER, *NUMBER]}, 5030),
        ({"who": [], "more": [(RAT, SUBSCRIBER)]}, 2001),
        ({"more": [(RAT, [("Node-Id", "pgw")])]}, 2001),
    ],
)
async def test_who_is_charged_for_what(more: dict[str, Any], result: int) -> None:
    async with Net({"data": 5000}) as net:
        assert (await net.pgw.ccr(S, INITIAL, 0, group(), **more)).result_code == result
        assert await net.used() == (1000 if result == 2001 else 0)


async def test_a_refusal_of_an_unknown_card_is_logged_with_its_number() -> None:
    async with Net({"data": 5000}) as net:
        answer = await net.pgw.ccr(S, INITIAL, 0, group(), who=NUMBER)
        assert answer.get("Error-Message") == "no card has these Subscription-Ids"
    (note,) = (each.text for each in net.of(Note) if "gets no units" in each.text)
    assert note == f"pgw.{REALM} gets no units for 861440000000099: no card has these Subscription-Ids"


async def test_a_card_without_a_quota_is_denied_the_service() -> None:
    async with Net({"sms": 5}) as net:
        assert (await net.pgw.ccr(S, INITIAL, 0, group())).result_code == 4010
    assert net.verdicts("ocs.data") == [False]


def rat(octet: int) -> Avps:
    return [(RAT, [("PS-Information", [("3GPP-RAT-Type", bytes((octet,)))])])]


async def test_tiers_by_use_and_network() -> None:
    tiers = [
        {"uses": ["car-wifi"], "data": "50 MB"},
        {"uses": ["meter"], "networks": ["NB-IoT"], "data": "1 kB"},
        {"data": "900 MB", "sms": 3},
    ]
    async with Net({}, tiers=tiers, octets="200 MB") as net:
        assert given(await net.pgw.ccr(S, INITIAL, 0, group(), more=rat(8))) == (2001, 1000)
        await net.pgw.ccr(S, TERMINATION, 1, group(1000, ask=None))
        # in another network it has more, of which that is used; a card of small data never more than 100 MB
        assert given(await net.pgw.ccr(T, INITIAL, 0, group(), more=rat(6))) == (2001, 99_999_000)
        told = await net.pgw.event(f"pgw.{REALM};1;3", 0, 3)
        assert told.result_code == 2001


async def test_month_begins_where_the_cards_are_and_what_was_given_is_not_used_in_the_next() -> None:
    async with Net({"data": 1500}, validity="31 days") as net:
        granted = await net.pgw.ccr(S, INITIAL, 0, group())
        left = first(granted.get(GROUPS), "Validity-Time")
        assert left < 31 * 86_400
        before = net.ocs.core.month
        await net.sleep(left - 1)
        assert (net.ocs.core.month, net.ocs.core.validity()) == (before, 1)
        await net.sleep(1)  # it has begun as it begins, not a moment later
        assert net.ocs.core.month != before
        assert (net.clock.wall() + dt.timedelta(hours=8)).day == 1
        assert await net.used() == 0
        # reported late, it counts in its own month
        assert given(await net.pgw.ccr(S, UPDATE, 1, group(1000))) == (2001, 1000)
        assert await net.used() == 1000


async def test_a_session_that_says_nothing_is_given_up_and_its_units_are_used() -> None:
    async with Net({"data": 5000}) as net:
        await net.pgw.ccr(S, INITIAL, 0, group())
        assert net.ocs.census() == {"charged_sessions": 1}
        await net.sleep(2 * 3600 + 1)
        assert (await net.pgw.ccr(S, UPDATE, 1, group(0))).result_code == 5002
        assert net.ocs.census() == {"charged_sessions": 0}
        assert await net.used() == 1000


async def test_changed_quota_is_told_and_holds_at_once() -> None:
    async with Net({"data": 5000}) as net:
        await net.pgw.ccr(S, INITIAL, 0, group())
        await net.call("PUT", f"/cards/{IMSI}/quota", {"data": "1 kB", **APPROVED})
        await net.settle()
        asked = [(each.name, each.get("Session-Id"), each.get("Re-Auth-Request-Type")) for each in net.pgw.heard]
        assert asked == [("re-auth-request", S, 0)]
        assert given(await net.pgw.ccr(S, UPDATE, 1, group(1000))) == (4012, None)
        await net.call("DELETE", f"/cards/{IMSI}/quota", APPROVED)
        assert given(await net.pgw.ccr(S, UPDATE, 2, group())) == (4010, None)


async def test_changes_need_the_operator_a_form_and_are_few() -> None:
    async with Net({"data": 5000}) as net:
        path = f"/cards/{IMSI}/quota"
        assert await net.refused("PUT", path, {"data": 1}) == 403
        assert await net.refused("PUT", path, {"data": "100.000001 MB", **APPROVED}) == 403
        assert await net.refused("PUT", f"/cards/{IMSI}", card({"data": 6000})) == 409
        assert await net.refused("PUT", "/cards/001010000000018", card({}, imsi="001010000000018")) == 409
        assert await net.refused("PUT", "/cards/001010000000018/quota", APPROVED) == 404
        for _ in range(2):
            await net.call("PUT", path, {"data": "100 MB a month", **APPROVED})
        assert await net.refused("PUT", path, {"data": 1, **APPROVED}) == 429
        records = await net.call("GET", "/audit")
        assert [each["action"] for each in records if each["action"].startswith("list")] == ["list-changed"] * 2
        large = card({"data": "2 GB"}, imsi="001010000000018", msisdn="861440000000018", large=True)
        told = await net.call("PUT", "/cards/001010000000018", large)
        assert told["quota"]["data"] == 2_000_000_000


async def test_what_the_database_does_not_take_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Net({"data": 5000}) as net:
        await net.pgw.ccr(S, INITIAL, 0, group())
        store = net.ocs.core.store

        def fail(*_: object) -> None:
            raise StoreUnavailableError("gone")

        with monkeypatch.context() as patch:
            patch.setattr(store, "write", fail)
            assert (await net.pgw.ccr(S, UPDATE, 1, group(1000))).result_code == 5012
            assert (await net.pgw.ccr(T, INITIAL, 0, group())).result_code == 5012
        assert await net.used() == 1000
        assert given(await net.pgw.ccr(S, UPDATE, 1, group(1000))) == (2001, 1000)
        assert given(await net.pgw.ccr(T, INITIAL, 0, group())) == (2001, 1000)
        assert await net.used() == 3000


async def test_a_transaction_that_fails_and_was_carried_out_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one that a connection is lost in nobody knows; the OCS has said that nothing is given, and holds to that."""
    async with Net({"data": 5000}, store=f"sqlite:///{tmp_path}/ocs.db") as net:
        store = net.ocs.core.store
        write = store.write

        def fail(*changes: Any) -> None:
            write(*changes)
            raise StoreUnavailableError("the connection was lost")

        with monkeypatch.context() as patch:
            patch.setattr(store, "write", fail)
            assert (await net.pgw.ccr(T, INITIAL, 0, group())).result_code == 5012
        assert given(await net.pgw.ccr(S, INITIAL, 0, group())) == (2001, 1000)
        with monkeypatch.context() as patch:
            patch.setattr(store, "write", fail)
            assert (await net.pgw.ccr(S, UPDATE, 1, group(700))).result_code == 5012
        await net.sleep(6)
        await net.host.stop("ocs", kill=True)
        await net.host.start("ocs")
        await net.sleep(60)
        assert [(each.session, each.number) for each in net.ocs.core.store.open_sessions()] == [(S, 0)]
        assert await net.used() == 1000
        assert given(await net.pgw.ccr(S, UPDATE, 1, group(700))) == (2001, 1000)
        assert await net.used() == 1700


async def test_a_session_id_that_is_forgotten_may_come_again() -> None:
    async with Net({"data": 5000, "sms": 5}) as net:
        for used in (1000, 2000):
            await net.pgw.ccr(S, INITIAL, 0, group())
            await net.pgw.ccr(S, TERMINATION, 1, group(1000, ask=None))
            assert await net.used() == used
            await net.pgw.event(T, DEBIT)
            await net.sleep(300)
        assert await net.used("sms") == 2


async def test_final_units_are_redirected_or_restricted_where_that_is_set() -> None:
    terms = [
        ({"redirect": "http://pay.example.com/"}, ("Redirect-Server", 1)),
        ({"restrict": ["permit out 17 from 192.0.2.53 53 to assigned"]}, ("Restriction-Filter-Rule", 2)),
    ]
    for final, (name, action) in terms:
        async with Net({"data": 500}, final_unit=final) as net:
            told = first((await net.pgw.ccr(S, INITIAL, 0, group())).get(GROUPS), "Final-Unit-Indication")
            assert told[0] == ("Final-Unit-Action", action)
            assert told[1][0] == name


async def test_strangers_are_not_served_and_nobody_speaks_in_anothers_name() -> None:
    net = Net({"data": 5000})
    evil = net.add("evil", ScriptedClient)
    async with net:
        assert evil.up is False
        with pytest.raises(Unreachable):
            await evil.ccr(S, INITIAL, 0, group())
        message = net.pgw.make(S, INITIAL, 0, group())
        message.avps = [(name, f"smsc.{REALM}" if name == "Origin-Host" else value) for name, value in message.avps]
        assert (await net.pgw.node.ask("ocs", message)).result_code == 5004
        assert await net.used() == 0
