"""A mutant is killed by a failed expectation about the decision, and by nothing else."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from simwarden.scenario import suite
from simwarden.scenario.load import Loader
from simwarden.scenario.proving import Finding, Outcome, Proof, prove
from simwarden.scenario.proving.claims import Case, claims_of, layers_of
from simwarden.scenario.proving.proof import ADMIT, REFUSE
from simwarden.scenario.proving.trial import Deciding, Seen, Trial
from simwarden.scenario.proving.weigh import weigh
from simwarden.scenario.result import Mismatch, Verdict
from simwarden.scenario.runner import RunOptions

SHIPPED = Path(__file__).parents[4] / "scenarios"
GIVEN = "hss/bind.hss.given"
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

    def prove(self, *points: str, workers: int = 1) -> Proof:
        jobs = [(job, self.loader.load(job.path)) for job in suite.find([str(self.folder)])]
        return prove(
            jobs, self.loader, RunOptions(), workers=workers, only=lambda each: not points or each.name in points
        )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def only(proof: Proof, switch: str, *points: str) -> Finding:
    [found] = [
        each for each in proof.findings if each.switch == switch and [p.name for p in each.points] == list(points)
    ]
    return found


def test_a_refusal_and_its_twin_kill_both_mutants(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN, twin="use.yaml")
    shelf.put("use.yaml", USE + SERVED)
    proof = shelf.prove(GIVEN)
    assert (len(proof.killed), proof.survivors, proof.weak, proof.remarks) == (2, [], [], [])
    [admitted], [refused] = only(proof, ADMIT, GIVEN).killers, only(proof, REFUSE, GIVEN).killers
    assert (admitted.scenario, admitted.seen, admitted.enforced) == (
        "misuse", ("phone.attach", "phone.emm_cause", "decision"), True
    )  # fmt: skip
    assert (refused.scenario, refused.seen) == ("use", ("meter.attach",))
    assert proof.runs == 4


def test_scenarios_without_expectations_leave_survivors(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE)
    shelf.put("use.yaml", USE)
    proof = shelf.prove(GIVEN)
    assert [each.killed for each in proof.findings] == [False, False]
    assert all(each.reason == "no scenario claims it" for each in proof.survivors)
    assert "verdict: admit" in only(proof, REFUSE, GIVEN).advice
    assert proof.runs == 0


def test_every_control_that_is_declared_has_two_mutants(shelf: Shelf) -> None:
    shelf.put("use.yaml", USE)
    proof = shelf.prove()
    declared = sum(len(shelf.loader.registry.declaration(kind).controls) for kind in shelf.loader.registry.kinds)
    assert len(proof.survivors) == 2 * declared


def test_an_expectation_of_an_outcome_alone_claims_no_control(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + "- expect: {phone: {attach: rejected}}\n")
    assert len(shelf.prove(GIVEN).survivors) == 2


def test_a_decision_without_the_requirement_is_no_claim_and_the_reason_says_so(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN, head=HEAD.replace("proves: [bind.hss.given]\n", ""))
    survivor = shelf.prove(GIVEN).survivors[0]
    assert survivor.reason == "misuse expects its decision, but does not say proves: [bind.hss.given]"


def test_an_error_is_no_kill(shelf: Shelf) -> None:
    head = HEAD.replace("cards:", "cards:\n  other: {{profile: meter}}")
    # Served at first, as claimed. Then the register falls silent, and the phone is refused: when the MME's control
    # admits, it has no subscription to serve by, so that a refusal without a decision ends the run as an error.
    shelf.put(
        "silence.yaml",
        USE
        + "- expect: {meter: {attach: accepted}, decision: {by: mme, control: mme.register, verdict: admit}}\n"
        + "- stop: hss\n- insert: {card: other, into: phone}\n- power_on: phone\n",
        head=head,
    )
    proof = shelf.prove("mme/mme.register")
    mutant = only(proof, ADMIT, "mme/mme.register")
    assert [each.outcome for each in mutant.attempts] == [Outcome.ERROR]
    assert not mutant.killed
    assert "no kill: ended as an error" in mutant.reason
    assert only(proof, REFUSE, "mme/mme.register").killed


def test_a_scenario_that_does_not_pass_by_itself_proves_nothing(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN.replace("EPS_AND_NON_EPS_SERVICES_NOT_ALLOWED", "ILLEGAL_ME"))
    proof = shelf.prove(GIVEN)
    assert proof.broken == [("misuse", "an expectation was not met")]
    assert only(proof, ADMIT, GIVEN).reason == "misuse does not pass by itself"


def test_a_failed_record_or_message_is_not_about_the_decision(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN, twin="use.yaml")
    shelf.put("use.yaml", USE + "- expect: {s6a.update-location-answer: {result_code: DIAMETER_SUCCESS}}\n")
    proof = shelf.prove(GIVEN)
    [attempt] = only(proof, REFUSE, GIVEN).attempts
    assert (attempt.outcome, attempt.why) == (Outcome.ASIDE, "unmet: s6a.update-location-answer")
    [line] = proof.weak
    assert line.startswith("the twin use should fail while hss/bind.hss.given refuses all")


def test_a_claim_that_only_sees_the_decision_is_remarked(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + "- expect: {decision: {by: hss, control: bind.hss.given}}\n")
    proof = shelf.prove(GIVEN)
    [killer] = only(proof, ADMIT, GIVEN).killers
    assert (killer.seen, killer.enforced) == (("decision",), False)
    assert "sees only the decision" in proof.remarks[0]


def test_layers_are_proved_with_all_of_them_off() -> None:
    loader = Loader()
    path = str(SHIPPED / "binding" / "hss" / "terminal-that-gives-no-imei.yaml")
    proof = prove([(suite.Job(path, "no-imei"), loader.load(path))], loader, RunOptions())
    layers = GIVEN, "mme/mme.terminal-identity"
    single = only(proof, ADMIT, layers[1]).attempts[0]
    assert (single.enforced, single.behind) == (False, (GIVEN,))
    [killer] = only(proof, ADMIT, *layers).killers
    assert "meter.attach" in killer.seen


def test_several_refusals_in_one_phase_claim_the_set(shelf: Shelf) -> None:
    both = "decision: [{by: hss, control: bind.hss.given}, {by: mme, control: mme.terminal-identity}]"
    shelf.put("misuse.yaml", MISUSE + SEEN.replace("decision: {by: hss, control: bind.hss.given}", both))
    assert list(layers_of(shelf.case("misuse.yaml"))) == [(GIVEN, "mme/mme.terminal-identity")]


def test_the_result_is_the_same_for_any_number_of_processes(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN, twin="use.yaml")
    shelf.put("use.yaml", USE + SERVED)
    one, two = shelf.prove(GIVEN), shelf.prove(GIVEN, workers=2)
    assert [each.attempts for each in one.findings] == [each.attempts for each in two.findings]


def test_the_shipped_controls_of_the_card_have_no_survivor() -> None:
    loader = Loader()
    jobs = [(job, loader.load(job.path)) for job in suite.find([str(SHIPPED / "binding" / "form")])]
    proof = prove(jobs, loader, RunOptions(), only=lambda point: point.name == "uicc/pre.form")
    assert (len(proof.killed), proof.survivors, proof.weak) == (2, [], [])


# -- weighing


def seen(verdict: Verdict, *mismatches: Mismatch, admitted: bool = True, forced: bool = False, number: int = 7) -> Seen:
    decisions = [Deciding(number, "hss", GIVEN, "001010000000001", admitted, forced)]
    return Seen(Trial("x", "x"), verdict, "said", mismatches, decisions)


def unmet(case: Case, subject: str) -> Mismatch:
    place = next(c.place for s in case.scenario.steps for e in s.expectations for c in e.conditions
                 if c.subject == subject)  # fmt: skip
    return Mismatch(subject, "rejected", "accepted", place)


def test_what_kills_and_what_does_not(shelf: Shelf) -> None:
    shelf.put("misuse.yaml", MISUSE + SEEN)
    case = shelf.case("misuse.yaml")
    normal = seen(Verdict.PASSED, admitted=False)
    attach, decision = unmet(case, "phone.attach"), unmet(case, "decision")

    def became(result: Seen) -> Outcome:
        return weigh(case, (GIVEN,), ADMIT, normal, result).outcome

    assert became(seen(Verdict.FAILED, attach, forced=True)) is Outcome.KILLED
    assert became(seen(Verdict.FAILED, decision, forced=True)) is Outcome.KILLED
    assert became(seen(Verdict.ERROR, attach, forced=True)) is Outcome.ERROR
    assert became(seen(Verdict.FAILED, forced=True)) is Outcome.ERROR  # a time-out, a management error: no mismatch
    assert became(seen(Verdict.PASSED, forced=True)) is Outcome.PASSED
    assert became(seen(Verdict.INCONCLUSIVE, forced=True)) is Outcome.PASSED
    assert became(seen(Verdict.FAILED, attach)) is Outcome.ASIDE  # nothing was overruled
    assert became(seen(Verdict.FAILED, attach, forced=True, number=6)) is Outcome.ASIDE  # not that decision
    other = weigh(case, ("mme/mme.register",), ADMIT, normal, seen(Verdict.FAILED, decision, forced=True))
    assert other.outcome is Outcome.ASIDE  # a decision of another control


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
