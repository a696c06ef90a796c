"""What was leaking once, and faults of the kind that elements might have, are found: an engine gone silent is noticed.

A fault is planted in a function of an element in this process; `explore` then runs the matching story.
"""

from __future__ import annotations

import fnmatch
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from planting import drop, drop_async, plant

from simulators.cmp.procedures import pools
from simulators.device.contexts import Emm
from simulators.device.dispatch import Dispatch
from simulators.device.procedures import detach as device_detach
from simulators.device.state import EmmState as DeviceState
from simulators.device.state import Procedure, Timer
from simulators.hss.core import Core
from simulators.hss.events import AUDITED
from simulators.hss.parts.cards import Binding
from simulators.hss.parts.suspension import Suspensions
from simulators.hss.procedures import late, location
from simulators.hss.store import Store
from simulators.mme.clients.home import merge_subscription
from simulators.mme.contexts import EmmState, Subscription
from simulators.mme.controls import Occasion
from simulators.mme.procedures import enforcement, handover, service_request, subscriber_data
from simulators.mme.procedures.detach import detach_by_network, request_detach
from simulators.mme.procedures.location import admit_terminal, check_equipment
from simulators.mme.procedures.pdn_connectivity import apn_lost, deactivate
from simulators.mme.procedures.release import release, settle
from simulators.pgw import procedures as pgw
from simulators.pgw.core import Core as PgwCore
from simulators.pgw.store import AreaStore
from simulators.sgw.procedures import bearers
from simwarden.campaign.explore import bench
from simwarden.campaign.explore.campaign import Explore, read_record
from simwarden.campaign.explore.repeat import scenario_of
from simwarden.campaign.explore.runs import ExploredRuns, Wanted, explore
from simwarden.campaign.grid import Order
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.wire.diameter.codes import DsrFlags

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from simulators.hss.subscriber import Due, Notice, Subscriber
    from simulators.mme.causes import Rejection
    from simulators.mme.contexts import Terminal, UeContext
    from simulators.mme.core import Core as MmeCore
    from simulators.sgw.core import Core as SgwCore
    from simulators.sgw.session import Device
    from simwarden.policy.decision import Decision
    from simwarden.wire.diameter import Message
    from simwarden.wire.diameter.codes import Feature
    from simwarden.wire.nas import Message as NasMessage

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[4] / "scenarios" / "explore"


@pytest.fixture(autouse=True)
def _new_benches() -> object:
    """What a process keeps of stories was seen with other elements."""
    bench.bench.cache_clear()
    yield
    bench.bench.cache_clear()


def explored(story: str, change: str = "", fault: str = "", *, pairs: int = 0, points: int = 0) -> ExploredRuns:
    """Explore one story."""
    return explore(
        Wanted(
            str(FOLDER),
            stories=(story,),
            changes=(change,) if change else (),
            faults=(fault,) if fault else (),
            pairs=pairs,
            points=points,
            runs=1 if pairs else 0,
        ),
        Order(),
    )


def judge(found: ExploredRuns) -> Explore:
    """Judge runs by the shipped record."""
    explored = Explore(found.wanted)
    explored.judge(found, read_record(FOLDER))
    return explored


def news(found: ExploredRuns) -> set[str]:
    """What is found that nobody has reviewed, in words: what is judged, what differs, before which message."""
    assert not found.broken
    return {f"{each.deviation.name} before {each.message}" for each in judge(found).new}


class Planted(NamedTuple):
    """Where a fault shows: story, change and fault, and one of the findings (with `*` in it)."""

    story: str
    change: str
    fault: str
    finding: str
    pairs: int = 0


def plant_no_detach(monkeypatch: pytest.MonkeyPatch, when: Callable[[UeContext], bool]) -> None:
    """Leave out the detach by the network of the devices for which `when` holds."""

    def detach(unchanged: Callable[..., None], core: MmeCore, ue: UeContext, *rest: Any, **values: Any) -> None:
        if not when(ue):
            unchanged(core, ue, *rest, **values)

    plant(monkeypatch, detach_by_network, detach)


def check(planted: Planted) -> None:
    found = news(explored(planted.story, planted.change, planted.fault, pairs=planted.pairs))
    assert fnmatch.filter(found, planted.finding), sorted(found)


# -- leaks that were mended: with the mend taken away


def test_a_detach_that_meets_a_handover_and_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, request_detach, drop, caller=handover.notify)
    plant(monkeypatch, detach_by_network, drop, caller=handover.notify)
    check(Planted("s1-handover", "withdrawal", "", "enforced enb2.connected before handover-command"))


def test_an_apn_that_stays_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, apn_lost, drop)
    check(Planted("attach", "apn-replaced", "", "enforced mme.session before attach-complete"))


def test_learning_anew_of_a_card_in_service_that_learns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(
        unchanged: Callable[..., list[Notice]],
        /,
        core: Core,
        subscribers: Sequence[Subscriber],
        records: Sequence[dict[str, Any]],
        *,
        due: Due,
        **values: Any,
    ) -> list[Notice]:
        if values["bound"]:
            return unchanged(core, subscribers, records, due=due, **values)
        core.store.change_all(subscribers, records, **values)
        return []

    plant(monkeypatch, location.withdraw, change, caller=Binding._rebind)
    check(Planted("attach", "learning-anew", "", "settled hss.binding before attach-complete"))


def test_a_terminal_that_is_not_asked_about_at_its_next_contact(monkeypatch: pytest.MonkeyPatch) -> None:
    async def admit(
        unchanged: Callable[..., Awaitable[Rejection | None]],
        core: MmeCore,
        ue: UeContext,
        terminal: Terminal | None,
        occasion: Occasion,
        *,
        initial: bool,
    ) -> Rejection | None:
        if occasion is Occasion.SERVICE:
            return None
        return await unchanged(core, ue, terminal, occasion, initial=initial)

    plant(monkeypatch, admit_terminal, admit, caller=service_request.check)
    check(Planted("service-request", "prohibited", "", "busy mme.session before service-request"))


def test_a_target_that_stays_reserved_when_a_handover_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, release, drop, caller=handover.cancel)
    check(Planted("s1-handover", "", "stall", "quiet connections of mme before handover-required"))


def test_a_change_that_is_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(AUDITED, "suspend")
    check(Planted("detach", "barring", "", "audit hss tells before detach-request"))


# -- six kinds of fault


def test_no_check_where_a_handover_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, enforcement.enforce, drop, caller=handover.notify)
    check(Planted("s1-handover", "cell-ahead-taken-away", "", "enforced mme.session before handover-notify"))


def test_subscriber_data_that_are_answered_and_not_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary: CI tries this one each time."""

    def keep(
        _unchanged: Callable[..., Subscription], known: Subscription | None, data: Any, features: Feature
    ) -> Subscription:
        del data, features
        return known or Subscription()

    plant(monkeypatch, merge_subscription, keep, caller=subscriber_data.insert_subscriber_data)
    check(Planted("attach", "barring", "", "enforced mme.session before attach-complete"))


def test_no_detach_of_a_terminal_that_is_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    plant_no_detach(monkeypatch, lambda ue: ue.paged is not None)
    check(Planted("paging", "rebinding", "", "enforced * before initial-context-setup-request"))


def test_what_is_kept_after_the_answer_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    serving = list[Core]()

    def register(unchanged: Callable[..., Decision | None], core: Core, *rest: Any, **values: Any) -> Decision | None:
        serving.append(core)
        return unchanged(core, *rest, **values)

    def later(_unchanged: Callable[..., bool], _store: Store, subscriber: Subscriber, **values: Any) -> bool:
        core = serving[-1]

        async def keep() -> None:
            await core.site.clock.sleep(1)
            core.store.register(subscriber, **values)
            core.show_binding(core.store.get(subscriber.imsi) or subscriber)

        core.site.spawn(keep(), "kept later")
        return True

    plant(monkeypatch, Store.register, later, caller=location.register)
    plant(monkeypatch, location.register, register)
    check(Planted("first-use", "", "killed-hss", "settled hss.binding before attach-accept"))


@pytest.mark.xfail(
    strict=True,
    reason="a withdrawal is ordered of an HSS that runs; explore kills none before the request that follows from it",
)
def test_an_mme_with_a_pending_notification_when_the_register_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, Store.pending, lambda *_: [], caller=late.tell_pending)
    check(Planted("attach", "withdrawal", "killed-hss", "settled mme.session before *", pairs=400))


def test_an_answer_that_a_cancellation_has_overtaken_and_that_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, release, drop, caller=subscriber_data._cancel)
    plant(monkeypatch, settle, drop, caller=subscriber_data._cancel)
    check(Planted("attach", "withdrawal", "", "enforced mme.session before update-location-answer"))


def test_a_pool_whose_change_sweeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def keep(unchanged: Callable[..., Awaitable[int]], *rest: Any, **_values: Any) -> int:
        return await unchanged(*rest[:-1], ())

    plant(monkeypatch, pools._set, keep)
    check(Planted("platform", "pool-narrowed", "", "enforced mme.session before attach-complete"))


def test_a_verdict_that_is_believed_beyond_its_lifetime(monkeypatch: pytest.MonkeyPatch) -> None:
    async def believe(
        unchanged: Callable[..., Awaitable[Rejection | None]],
        core: MmeCore,
        ue: UeContext,
        terminal: Terminal | None,
        occasion: Occasion,
    ) -> Rejection | None:
        for pair, (_, since, answer) in core.verdicts.items():
            core.verdicts[pair] = (math.inf, since, answer)
        return await unchanged(core, ue, terminal, occasion)

    plant(monkeypatch, check_equipment, believe)
    check(Planted("attach", "prohibited-later", "", "settled mme.session before attach-complete"))


def test_zone_codes_that_are_not_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(unchanged: Callable[..., None], core: MmeCore, ue: UeContext, asked: Message, flags: DsrFlags) -> None:
        unchanged(core, ue, asked, flags & ~DsrFlags.REGIONAL_SUBSCRIPTION_WITHDRAWAL)

    plant(monkeypatch, subscriber_data._delete, keep)
    check(Planted("update", "zones-ended", "", "settled mme.session before tracking-area-update-request"))


def test_a_timer_that_cuts_the_next_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """T3440, which is not stopped by the release that it waits for; contacts would hide that."""

    def stop(unchanged: Callable[..., None], emm: Emm, *timers: Timer) -> None:
        unchanged(emm, *(each for each in timers if each is not Timer.T3440))

    plant(monkeypatch, Emm.stop, stop, caller=Dispatch._released)
    check(Planted("attach", "learning-anew", "", "quiet connections before *"))


# -- gateways, and what goes through them


def test_a_pgw_that_keeps_a_session_which_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, PgwCore.close, drop, caller=pgw.delete_session)
    check(Planted("attach", "withdrawal", "", "enforced pgw.session before attach-complete"))


def test_an_sgw_that_keeps_a_bearer_after_its_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its downlink packets would go where nobody is any more."""

    def keep(unchanged: Callable[..., None], core: SgwCore, device: Device) -> None:
        ends = [(bearer, bearer.enb) for bearer in device.bearers.values()]
        unchanged(core, device)
        for bearer, end in ends:
            bearer.enb = end

    plant(monkeypatch, bearers.release, keep)
    check(Planted("service-request", "", "stall", "quiet bearers before *"))


def test_no_detach_of_a_terminal_that_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    plant_no_detach(
        monkeypatch,
        lambda ue: ue.state is EmmState.REGISTERED and ue.connection is not None and bool(ue.connection.handover),
    )
    check(Planted("s1-handover-packets", "barring", "", "enforced mme.session before handover-request-acknowledge"))


def test_cells_of_packets_that_hold_for_later_sessions_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the packets themselves shows it."""
    plant(monkeypatch, pgw.follow_area, drop_async)
    check(Planted("attach", "packets-cell-taken-away", "", "busy meter.packets before attach-complete"))


def test_cells_of_packets_that_a_restart_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    def put(
        unchanged: Callable[..., None], store: AreaStore, imsi: str, cells: Collection[str], audit: dict[str, Any]
    ) -> None:
        unchanged(store, imsi, (), audit)
        if cells:
            store._held[imsi] = frozenset(cells)

    plant(monkeypatch, AreaStore.put, put)
    check(Planted("attach", "packets-cell-taken-away", "restarted-pgw", "settled meter.packets before *", pairs=150))


def test_a_further_connection_that_outlives_its_apn(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, deactivate, drop, caller=apn_lost)
    check(Planted("connections", "further-apn-removed", "", "enforced sgw.session before *"))


# -- what is kept of a finding


class Kept(NamedTuple):
    """A fault and the finding from which a scenario is made."""

    plant: Callable[[pytest.MonkeyPatch], None]
    change: str
    finding: str


def attach_late(
    unchanged: Callable[..., None],
    emm: Emm,
    message: NasMessage,
    protected: bool,  # noqa: FBT001 - the signature of a handler
) -> None:
    """Wait for T3402 before the attach that the network has asked for."""
    unchanged(emm, message, protected)
    if emm.pending is Procedure.ATTACH:
        emm.pending = None
        emm.enter(DeviceState.ATTEMPTING_TO_ATTACH)
        emm.start(Timer.T3402, 10800)


def suspend_unrecorded(
    unchanged: Callable[..., list[Notice]],
    /,
    store: Store,
    subscribers: Sequence[Subscriber],
    audit: Sequence[dict[str, Any]],
    **values: Any,
) -> list[Notice]:
    """Keep a change without its audit records where an MME serves the first card."""
    return unchanged(store, subscribers, () if subscribers[0].mme else audit, **values)


KEPT = {
    "late": Kept(
        lambda patch: plant(patch, device_detach.on_request, attach_late), "location-ended", "late mme.session"
    ),
    "quiet": Kept(
        lambda patch: plant(patch, Core.show_registration, drop, caller=location.register),
        "other-apn-removed",
        "quiet mme.session",
    ),
    "packets": Kept(
        lambda patch: plant(patch, pgw.follow_area, drop_async), "packets-cell-taken-away", "busy meter.packets"
    ),
    "audit": Kept(
        lambda patch: plant(patch, Store.change_all, suspend_unrecorded, caller=Suspensions._suspend),
        "barring",
        "audit hss suspend",
    ),
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=[*KEPT])
def test_a_scenario_that_is_kept_fails_until_the_fault_is_mended(kept: Kept) -> None:
    with pytest.MonkeyPatch.context() as planted:
        kept.plant(planted)
        judged = judge(explored("attach", kept.change, points=20))
        finding = next(each for each in judged.new if each.deviation.name == kept.finding)
        text = scenario_of(bench.bench(str(FOLDER), "", 0, "attach", kept.change), finding)
        assert played(text) is Verdict.FAILED, text
    assert played(text) is Verdict.PASSED, text


def test_a_scenario_says_what_it_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, release, drop, caller=handover.cancel)
    found = explored("s1-handover", "", "stall").findings.values()
    finding = next(each for each in found if each.deviation.name == "quiet connections of mme")
    text = scenario_of(bench.bench(str(FOLDER), "", 0, "s1-handover", ""), finding)
    assert "# A scenario has no word for this" in text
    assert "#   simwarden explore s1-handover --fault stall" in text


def played(text: str) -> Verdict:
    return run_scenario(Loader().load("kept.yaml", text), "kept", RunOptions()).verdict
