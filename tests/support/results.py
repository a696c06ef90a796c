"""Results of scenarios for tests of reports, made of the synthetic trace of `traces`."""

from __future__ import annotations

import traces

from simwarden.errors import Place
from simwarden.scenario.result import FailureRecord, Lane, Mismatch, ScenarioResult, Verdict

PATH = "scenarios/binding/moved-card.yaml"


def lanes() -> tuple[Lane, ...]:
    return tuple(Lane(name, name, f"The {name}", order) for name, order in traces.ORDER.items())


def passed(name: str = "moved-card", title: str = "A meter's card is refused in a phone") -> ScenarioResult:
    return ScenarioResult(
        name=name,
        path=f"scenarios/binding/{name}.yaml",
        title=title,
        verdict=Verdict.PASSED,
        proves=("bind.hss.learned",),
        tags=("binding",),
        twin="scenarios/binding/card-back.yaml",
        lanes=lanes(),
        events=traces.moved_card(),
        seconds=0.04,
        virtual=3600.252,
        steps_done=4,
        steps=4,
    )


def failed(name: str = "wrong-cause", title: str = "A wrong cause is expected") -> ScenarioResult:
    result = passed(name, title)
    refused = next(
        event.number for event in result.events if event.kind == "decision" and getattr(event, "element", "") == "hss"
    )
    result.verdict = Verdict.FAILED
    result.failure = FailureRecord(
        place=Place(PATH, 24, 9),
        step="expect",
        summary="1 of 2 expectations failed",
        mismatches=(Mismatch("phone.emm_cause", "6 ILLEGAL_ME", "8 EPS_SERVICES", Place(PATH, 25, 30), refused),),
        element="hss",
        control="bind.hss.learned",
        clause="2.1.3(1) one",
        reason="not the bound IMEI",
        rerun=f"simwarden run {PATH}",
    )
    return result


def broken(name: str = "broken") -> ScenarioResult:
    result = passed(name, "A bug of ours")
    result.verdict = Verdict.ERROR
    result.events = []
    result.failure = FailureRecord(
        Place(PATH, 3), "power_on: meter", "internal error: KeyError", detail="Traceback\n ..."
    )
    return result


def inconclusive(name: str = "outside") -> ScenarioResult:
    result = passed(name, "An external HSS")
    result.verdict = Verdict.INCONCLUSIVE
    result.failure = FailureRecord(Place(PATH, 12), "expect", "hss is outside this process")
    return result
