"""What the HSS orders and asks of cards that are in service, idle or detached (TS 29.272 5.2.1.2, 5.2.2)."""

from __future__ import annotations

from typing import Any

import pytest

from simwarden.testing.diameter import FEATURES, IMSI
from simwarden.wire.diameter.codes import ClrFlags, IdrFlags, UserState
from simwarden.wire.nas.enums import MessageType, NetworkDetachType
from simwarden.wire.s1ap import CauseNas

_T = MessageType
_BARRED = ("Subscription-Data", [("Subscriber-Status", 1), ("Operator-Determined-Barring", 1)])


async def _cancel(network: Any, *avps: tuple[str, Any]) -> None:
    withdrawn = ("Cancellation-Type", 2)
    await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), withdrawn, *avps])
    await network.settle()


async def _detached(network: Any) -> Any:
    phone = await network.attached_idle()
    network.mme.core.end_session(network.mme.core.by_imsi[IMSI])
    return phone


@pytest.mark.parametrize(
    ("comes", "state"),
    [
        ("attached", UserState.CONNECTED_REACHABLE_FOR_PAGING),
        ("attached_idle", UserState.ATTACHED_REACHABLE_FOR_PAGING),
        ("detached", UserState.DETACHED),
    ],
)
@pytest.mark.parametrize(
    "flags", [IdrFlags.EPS_USER_STATE, IdrFlags.EPS_LOCATION_INFORMATION, IdrFlags.CURRENT_LOCATION, IdrFlags(0)]
)
async def test_state_and_place_are_told_if_they_are_asked_for(
    run: Any, comes: str, state: UserState, flags: IdrFlags
) -> None:
    async with run() as network:
        await (_detached(network) if comes == "detached" else getattr(network, comes)())
        asked = [("User-Name", IMSI), ("Subscription-Data", []), ("IDR-Flags", int(flags))]
        answer = await network.hss.order("Insert-Subscriber-Data-Request", asked)
        told = answer.find("EPS-User-State", "MME-User-State", "User-State")
        assert told == (state if flags is IdrFlags.EPS_USER_STATE else None)
        place = answer.find("EPS-Location-Information", "MME-Location-Information", "Tracking-Area-Identity")
        wanted = flags in (IdrFlags.EPS_LOCATION_INFORMATION, IdrFlags.CURRENT_LOCATION)
        assert place == (bytes.fromhex("00f1100001") if wanted else None)


@pytest.mark.parametrize("again", [True, False])
async def test_a_withdrawn_card_attaches_again_if_the_hss_wants_it(run: Any, *, again: bool) -> None:
    async with run() as network:
        phone = await network.attached()
        await _cancel(network, ("CLR-Flags", int(ClrFlags.REATTACH_REQUIRED) * again))
        (told,) = [each for each in phone.got if each.type is _T.DETACH_REQUEST]
        kinds = NetworkDetachType.RE_ATTACH_REQUIRED, NetworkDetachType.RE_ATTACH_NOT_REQUIRED
        assert told["detach_type"] == kinds[not again]
        assert ("emm_cause" in told) == (not again)


@pytest.mark.parametrize("kind", [0, 2])
async def test_an_attach_under_way_ends_where_its_card_is_cancelled(run: Any, kind: int) -> None:
    async with run() as network:
        phone = network.phone(replies={_T.ATTACH_ACCEPT: None})
        phone.attach()
        await network.settle()
        await network.hss.order("Cancel-Location-Request", [("User-Name", IMSI), ("Cancellation-Type", kind)])
        await network.settle()
        assert phone.released == [CauseNas.DETACH]
        assert _T.DETACH_REQUEST not in phone.types()


@pytest.mark.parametrize("asked", [True, False])
async def test_features_are_told_whom_they_are_asked_of(run: Any, *, asked: bool) -> None:
    async with run() as network:
        await _detached(network)
        order = [("User-Name", IMSI), ("Subscription-Data", []), *[FEATURES] * asked]
        answer = await network.hss.order("Insert-Subscriber-Data-Request", order)
        assert (answer.get("Supported-Features") is not None) == asked
        await _cancel(network)
        assert network.mme.core.connections == {}


async def test_the_hss_hears_of_no_purge_of_what_it_has_cancelled(run: Any) -> None:
    async with run(timers={"purge": 60}) as network:
        await network.attached()
        await _cancel(network)
        network.hss.asked.clear()
        await network.sleep(60)
        assert network.hss.names() == []
        assert network.mme.core.by_imsi == {}


async def test_of_a_detached_card_nothing_is_decided_anew(run: Any) -> None:
    async with run(zones={"0001": [1]}) as network:
        await _detached(network)
        before = len(network.decisions("mme.barring")), len(network.decisions("area.zones"))
        zone = [("Regional-Subscription-Zone-Code", bytes.fromhex("0009"))]
        for data in (_BARRED, ("Subscription-Data", zone)):
            await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), data])
        await network.settle()
        assert (len(network.decisions("mme.barring")), len(network.decisions("area.zones"))) == before
        assert "paging" not in network.enb.names()


async def test_a_sleeper_that_loses_its_service_is_waited_for_no_more(run: Any) -> None:
    async with run(timers={"purge": 86_400}) as network:
        network.host.clock.skip_keep_alives = False
        await network.attached_idle()
        await network.hss.order("Insert-Subscriber-Data-Request", [("User-Name", IMSI), _BARRED])
        await network.sleep(2 * 3600)
        assert network.session() is None
        assert "mobile reachable timer ran out" not in network.notes()
        await network.sleep(86_400)
        assert network.hss.names() == ["purge-ue"]
