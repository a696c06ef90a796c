"""A mutant is killed by a failed expectation about what came of the decision, and by nothing else."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.campaign.grid import Order
from simwarden.campaign.prove.campaign import Prove
from simwarden.campaign.prove.choice import EQUIVALENT, Choice, equivalents
from simwarden.campaign.prove.mutants import ADMIT, IGNORE, REFUSE, SWITCHES, Mutant, Outcome, Word, weigh
from simwarden.campaign.switched_run import NormalRuns, Observed, ObservedDecision, SwitchedRun
from simwarden.errors import ConfigError
from simwarden.scenario import suite
from simwarden.scenario.claims import Case, claims_of, spots_of
from simwarden.scenario.load import Loader
from simwarden.scenario.result import Mismatch, Verdict
from simwarden.scenario.runner import RunOptions, run_scenario
from simwarden.trace.events import Decided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.scenario.document import Scenario

SHIPPED = Path(__file__).parents[4] / "scenarios"
GIVEN = "hss/bind.hss.given@update-location"
IDENTITY = "mme/mme.terminal-identity@attach"
REGISTER = "mme/mme.hss@authentication-information"
HEAD = """\
scenario: {title}
proves: [bind.hss.given]
{twin}
cards:
  card: {{profile: meter, binding: {{by: hss, imei: meter.imei}}}}
devices:
  meter: {{type: module}}
  phone: {{type: handset}}
steps:
"""
MISUSE = """
- insert: {card: card, into: phone}
- power_on: phone
"""
SEEN = """
- expect:
    phone: {attach: rejected, emm_cause: EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED}
    decision: {by: hss, control: bind.hss.given}
"""
USE = """
- insert: {card: card, into: meter}
- power_on: meter
"""
SERVED = "- expect: {meter: {attach: accepted}}\n"


ALL = Order()


def prove(jobs: Sequence[tuple[suite.Job, Scenario]], loader: Loader, order: Order, choice: Choice) -> Prove:
    proof = Prove(NormalRuns.of(jobs, loader), loader.registry, choice)
    proof.carry_out(order)
    return proof


class Shelf:
    """A folder of scenarios to be proved."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.loader = folder, Loader()

    def put(self, name: str, steps: str, *, twin: str = "", head: str = HEAD) -> None:
        text = head.format(title=name, twin=f"twin: {twin}" if twin else "") + dedent(steps)
        (self.folder / name).write_text(text)

    def case(self, name: str) -> Case:
        scenario = self.loader.load(self.folder / name)
        return Case(suite.Job(str(self.folder / name), name), scenario, tuple(claims_of(scenario)))

    def prove(self, *spots: str, order: Order = ALL, **choice: Any) -> Prove:
        jobs = [(job, self.loader.load(job.reference)) for job in suite.find([str(self.folder)])]
        return prove(jobs, self.loader, order, Choice(lambda each: not spots or each.name in spots, **choice))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def only(proof: Prove, switch: str, *spots: str) -> Mutant:
    [found] = [each for each in proof.mutants if each.switch == switch and [s.name for s in each.spots] == list(spots)]
    return found


def test_a_refusal_and_its_twin_kill_both_mutants(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN, twin="use.yaml")
    shelf.put("use.yaml", USE + SERVED)
    proof = shelf.prove(GIVEN)
    assert (len(proof.killed), proof.survivors, proof.weak) == (3, [], [])
    [admitted], [refused] = only(proof, ADMIT, GIVEN).killers, only(proof, REFUSE, GIVEN).killers
    [ignored] = only(proof, IGNORE, GIVEN).killers
    assert (ignored.seen, ignored.through) == (("phone.attach", "phone.emm_cause"), True)
    assert (admitted.scenario, admitted.seen, admitted.through) == ("misuse", ("phone.attach", "phone.emm_cause"), True)
    assert (refused.scenario, refused.seen) == ("use", ("meter.attach",))
    assert proof.runs == 5


def test_scenarios_without_expectations_leave_survivors(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE)
    shelf.put("use.yaml", USE)
    proof = shelf.prove(GIVEN)
    assert [each.killed for each in proof.mutants] == [False, False, False]
    assert only(proof, ADMIT, GIVEN).reason == "no scenario claims it"
    assert only(proof, REFUSE, GIVEN).reason == "no scenario claims it; use noticed nothing"
    assert proof.runs == 2 + 1  # what nobody claims may still be noticed when legitimate use is refused


def test_every_occasion_that_a_control_declares_has_three_mutants(shelf: Shelf) -> None:
    shelf.put("use.yaml", USE)
    proof = shelf.prove()
    kinds = [shelf.loader.registry.declaration(kind) for kind in shelf.loader.registry.kinds]
    declared = sum(len(control.occasions) for each in kinds for control in each.controls)
    assert len(proof.survivors) == len(SWITCHES) * declared
    assert f"; {declared} occasions; " in proof.summary()


def test_one_occasion_of_a_control_is_not_proved_by_another(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN, twin="use.yaml")
    shelf.put("use.yaml", USE + SERVED)
    proof = shelf.prove(GIVEN, "hss/bind.hss.given@notify")
    assert [each.name.partition("@")[2] for each in proof.survivors] == [f"notify {switch}" for switch in SWITCHES]
    assert proof.survivors[0].reason == "on notify it refuses nothing in any scenario that claims it, or its twin"
    assert not proof.weak


def test_a_claim_of_one_occasion_is_no_claim_of_another(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN.replace("bind.hss.given}", "bind.hss.given, on: update-location}"))
    claims = shelf.case("misuse.yaml").claims
    spots = spots_of(shelf.loader.registry)
    assert [each.occasion for each in claims] == ["update-location"]
    assert claims[0].is_of(spots[GIVEN])
    assert not claims[0].is_of(spots["hss/bind.hss.given@notify"])


def test_an_expectation_of_an_outcome_alone_claims_no_control(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + "- expect: {phone: {attach: rejected}}\n")
    assert len(shelf.prove(GIVEN).survivors) == 3


def test_a_decision_without_the_requirement_is_no_claim_and_the_reason_says_so(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN, head=HEAD.replace("proves: [bind.hss.given]\n", ""))
    survivor = shelf.prove(GIVEN).survivors[0]
    assert survivor.reason == "misuse expects its decision, but does not say proves: [bind.hss.given]"


def test_an_error_is_no_kill(shelf: Shelf) -> None:
    head = HEAD.replace("cards:", "cards:\n  other: {{profile: meter}}")
    # Served at first, as claimed. Then the HSS falls silent, and the phone is refused: when the MME's control
    # admits, it has no subscription to serve by, so that a refusal without a decision ends the run as an error.
    shelf.put(
        "silence.yaml",
        USE
        + "- expect: {meter: {attach: accepted}, decision: {by: mme, control: mme.hss, verdict: admit}}\n"
        + "- stop: hss\n- insert: {card: other, into: phone}\n- power_on: phone\n",
        head=head,
    )
    proof = shelf.prove(REGISTER)
    mutant = only(proof, ADMIT, REGISTER)
    assert [each.outcome for each in mutant.attempts] == [Outcome.ERROR]
    assert not mutant.killed
    assert "no kill: ended as an error" in mutant.reason
    assert only(proof, REFUSE, REGISTER)


def test_a_scenario_that_does_not_pass_by_itself_proves_nothing(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN.replace("EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED", "ILLEGAL_ME"))
    proof = shelf.prove(GIVEN)
    assert proof.normal.broken == [("misuse", "an expectation was not met")]
    assert only(proof, ADMIT, GIVEN).reason == "misuse does not pass by itself"


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        ("s6a.update-location-answer: {result_code: DIAMETER_SUCCESS}", "s6a.update-location-answer"),
        ("mme: {session: {card: card}}", "mme.session"),
        ("meter: {attach: accepted}", "meter.attach"),
    ],
)
def test_what_comes_of_a_decision_shows_in_a_message_a_record_or_a_state(
    shelf: Shelf, expected: str, seen: str
) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN, twin="use.yaml")
    shelf.put("use.yaml", USE + f"- expect: {{{expected}}}\n")
    proof = shelf.prove(GIVEN)
    [attempt] = only(proof, REFUSE, GIVEN).attempts
    assert (attempt.outcome, attempt.seen) == (Outcome.KILLED, (seen,))
    assert not proof.weak


def test_the_forced_decision_alone_kills_nothing(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + "- expect: {decision: {by: hss, control: bind.hss.given}}\n", twin="use.yaml")
    shelf.put("use.yaml", USE + "- expect: {decision: {by: hss, control: bind.hss.given, verdict: admit}}\n")
    proof = shelf.prove(GIVEN, "hss/bind.hss.given@notify", "hss/bind.hss.given@map-update-location")
    assert not proof.killed
    assert only(proof, ADMIT, GIVEN).reason == "misuse noticed nothing"
    assert proof.weak == [
        *(
            f"misuse claims a refusal by {GIVEN.partition('@')[0]}, but under {switch} it noticed nothing"
            for switch in (ADMIT, IGNORE)
        ),
        f"the twin use should fail while {GIVEN.partition('@')[0]} refuses all, and noticed nothing",
    ]


AREA = "mme/area.cell@attach"
AREA_HEAD = """\
scenario: {title}
proves: [area.cell]
{twin}
network:
  enb2: {{type: enb, cells: [{{tac: 2}}]}}
cards:
  card: {{profile: meter, area: {{by: mme, cells: [enb/1]}}}}
devices:
  meter: {{type: module, cell: enb2/1}}
steps:
"""


def test_a_decision_with_its_record_of_risk_kills_no_mutant(shelf: Shelf) -> None:
    recorded = "- expect: {decision: {by: mme, control: area.cell}, mme: {risk: {card: card, control: area.cell}}}\n"
    shelf.put("misuse.yaml", USE + recorded, head=AREA_HEAD)
    proof = shelf.prove(AREA)
    for switch in (ADMIT, IGNORE):
        assert [each.outcome for each in only(proof, switch, AREA).attempts] == [Outcome.PASSED]
    shelf.put("misuse.yaml", USE + recorded + "- expect: {meter: {attach: rejected}}\n", head=AREA_HEAD)
    proof = shelf.prove(AREA)
    assert [only(proof, switch, AREA).killed for switch in (ADMIT, IGNORE)] == [True, True]


def test_an_ignored_refusal_stays_in_trace_and_events_and_has_no_effect(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + "- expect: {phone: {attach: rejected}}\n")
    scenario = shelf.loader.load(shelf.folder / "misuse.yaml")
    normal = run_scenario(scenario, "misuse", RunOptions())
    ignored = run_scenario(scenario, "misuse", RunOptions(switches={GIVEN: IGNORE}, lenient=True))
    assert ignored.failure is not None
    assert [each.got for each in ignored.failure.mismatches] == ["accepted"]
    [before], [after] = (
        [each for each in result.events if isinstance(each, Decided) and not each.decision.admitted]
        for result in (normal, ignored)
    )
    assert (after.number, after.decision, after.forced) == (before.number, before.decision, IGNORE)
    until = before.number
    assert [repr(each) for each in normal.events[: until - 1]] == [repr(each) for each in ignored.events[: until - 1]]


def test_what_comes_after_the_forced_decision_kills(shelf: Shelf) -> None:
    told = "- expect: {decision: {by: hss, control: bind.hss.given}}\n- expect: {phone: {attach: rejected}}\n"
    shelf.put("misuse.yaml", MISUSE + told)
    [killer] = only(shelf.prove(GIVEN), ADMIT, GIVEN).killers
    assert killer.seen == ("phone.attach",)


def test_rightful_use_that_is_refused_is_noticed_by_whoever_makes_it(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN)
    shelf.put("use.yaml", USE + SERVED)  # the twin of nobody
    proof = shelf.prove(GIVEN)
    assert [each.scenario for each in only(proof, REFUSE, GIVEN).killers] == ["use"]


def test_layers_are_proved_with_all_of_them_off_and_each_alone_on() -> None:
    loader = Loader()
    path = str(SHIPPED / "binding" / "hss" / "no-imei.yaml::attach")
    proof = prove([(suite.Job(path, "no-imei"), loader.load(path))], loader, ALL, Choice())
    single = only(proof, ADMIT, IDENTITY).attempts[0]
    assert (single.through, single.behind) == (False, (GIVEN,))
    [killer] = only(proof, ADMIT, GIVEN, IDENTITY).killers
    assert "meter.attach" in killer.seen
    [alone] = only(proof, ADMIT, GIVEN).killers  # nobody claims it, and it refuses when the first one does not
    assert alone.seen == (f"the only one that refuses without {IDENTITY}",)


def test_a_listed_mutant_is_no_survivor_and_one_that_is_killed_no_equivalent(shelf: Shelf) -> None:
    shelf.put("use.yaml", USE + SERVED)
    listed = {f"{GIVEN} always-admit": "nothing counts", f"{GIVEN} always-refuse": "nothing counts"}
    proof = shelf.prove(GIVEN, equivalent=listed)
    # Where an admission changes nothing, a refusal that is ignored does not either.
    assert [each.word for each in proof.mutants] == [Word.EQUIVALENT, Word.EQUIVALENT, Word.KILLED]
    assert proof.weak == [f"{GIVEN} always-refuse is in the list of equivalent mutants, and use kills it"]


def test_a_budget_leaves_out_what_it_has_no_time_for_after_what_was_touched(shelf: Shelf) -> None:
    shelf.put("use.yaml", USE + SERVED)
    listed = {f"{GIVEN} always-admit": "nothing counts"}
    proof = shelf.prove(order=Order(until=0.0), touched=lambda spot: spot.name == GIVEN, equivalent=listed)
    assert {each.word for each in proof.mutants} == {Word.LEFT}
    assert proof.verdict == "untried"
    touched = Choice(touched=lambda spot: spot.name == GIVEN)
    order = touched.in_order(proof.mutants, Order(seed=3, until=1.0))
    assert {each.name for each in order[:3]} == {f"{GIVEN} {switch}" for switch in SWITCHES}
    assert order == touched.in_order(proof.mutants, Order(seed=3, until=1.0))


def test_survivors_are_accepted_with_a_reason(shelf: Shelf) -> None:
    shelf.put("use.yaml", USE)
    (shelf.folder / EQUIVALENT).write_text("# reviewed\n")
    proof = shelf.prove(GIVEN)
    proof.folder = str(shelf.folder)
    with pytest.raises(ConfigError, match="say why"):
        proof.accept("")
    assert proof.accept("nothing: counts") == [shelf.folder / EQUIVALENT]
    assert (shelf.folder / EQUIVALENT).read_text().startswith("# reviewed\n")
    listed = equivalents([str(shelf.folder)], [each.name for each in proof.mutants])
    assert listed == {f"{GIVEN} {switch}": "nothing: counts" for switch in SWITCHES}
    assert (proof.survivors, proof.verdict) == ([], "passed")
    assert not shelf.prove(GIVEN, equivalent=listed).survivors


def test_the_result_is_the_same_for_any_number_of_processes(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN, twin="use.yaml")
    shelf.put("use.yaml", USE + SERVED)
    one, two = shelf.prove(GIVEN), shelf.prove(GIVEN, order=Order(workers=2))
    assert [each.attempts for each in one.mutants] == [each.attempts for each in two.mutants]


def test_the_shipped_controls_of_the_card_have_no_survivor() -> None:
    loader = Loader()
    jobs = [(job, loader.load(job.reference)) for job in suite.find([str(SHIPPED / "binding" / "form")])]
    proof = prove(jobs, loader, ALL, Choice(lambda spot: spot.control.id == "pre.form"))
    assert (len(proof.killed), proof.survivors, proof.weak) == (6, [], [])


# -- weighing


def seen(
    verdict: Verdict, *mismatches: Mismatch, admitted: bool = True, forced: bool = False, number: int = 7
) -> Observed:
    decisions = [
        ObservedDecision(number, "hss", GIVEN.partition("@")[0], "001010000000001", admitted, forced, "update-location")
    ]
    return Observed(SwitchedRun("x", "x"), verdict, "said", mismatches, decisions)


def unmet(case: Case, subject: str) -> Mismatch:
    place = next(c.place for s in case.scenario.steps for e in s.expectations for c in e.conditions
                 if c.subject == subject)  # fmt: skip
    return Mismatch(subject, "rejected", "accepted", place)


def test_what_kills_and_what_does_not(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN)
    case = shelf.case("misuse.yaml")
    normal = seen(Verdict.PASSED, admitted=False)
    attach, spots = unmet(case, "phone.attach"), spots_of(shelf.loader.registry)

    def became(result: Observed) -> Outcome:
        return weigh(case, (spots[GIVEN],), ADMIT, normal, result).outcome

    assert became(seen(Verdict.FAILED, attach, forced=True)) is Outcome.KILLED
    assert became(seen(Verdict.ERROR, attach, forced=True)) is Outcome.ERROR
    assert became(seen(Verdict.FAILED, forced=True)) is Outcome.ERROR  # a time-out, a management error: no mismatch
    assert became(seen(Verdict.PASSED, forced=True)) is Outcome.PASSED
    assert became(seen(Verdict.INCONCLUSIVE, forced=True)) is Outcome.PASSED
    assert became(seen(Verdict.FAILED, attach)) is Outcome.ASIDE  # nothing was overruled
    assert became(seen(Verdict.FAILED, attach, forced=True, number=6)) is Outcome.ASIDE  # not that decision


# -- elements outside this process


def test_a_card_without_a_section_is_another_card(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN)
    plain = shelf.loader.load(shelf.folder / "misuse.yaml").cards["card"]
    without = Loader(without=frozenset({"hss/binding"})).load(shelf.folder / "misuse.yaml")
    card = without.cards["card"]
    assert plain.sections_for("hss")
    assert not card.sections_for("hss")
    assert (plain.keys.imsi, card.keys.imsi) == ("001010000000001", "001019000000001")
    assert plain.keys.msisdn != card.keys.msisdn
    assert without.instances["card"].identities["imsi"] == card.keys.imsi
    other = Loader(without=frozenset({"eir/binding"})).load(shelf.folder / "misuse.yaml").cards["card"]
    assert other.keys.imsi == plain.keys.imsi
