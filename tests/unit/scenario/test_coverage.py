"""Coverage counts what is claimed and seen, and shows the rest as open."""

from __future__ import annotations

import json
from pathlib import Path

from simwarden.policy.requirements import requirements
from simwarden.scenario import suite
from simwarden.scenario.coverage import Coverage, Entry, State, as_data, cover, page_of, summary
from simwarden.scenario.load import Loader
from simwarden.scenario.runner import RunOptions

SHIPPED = Path(__file__).parents[3] / "scenarios"


def covered(*paths: Path) -> Coverage:
    loader = Loader()
    jobs = [(job, loader.load(job.path)) for job in suite.find(map(str, paths))]
    return cover(jobs, loader, RunOptions())


def entry(coverage: Coverage, name: str) -> Entry:
    return next(each for each in coverage.entries if each.requirement.id == name)


def test_claims_and_what_the_trace_saw() -> None:
    coverage = covered(SHIPPED / "demo")
    learned = entry(coverage, "bind.hss.learned")
    rows = {row.point.name: row for row in learned.rows}
    row = rows["hss/bind.hss.learned"]
    assert (row.refused.claimed, row.refused.seen) == (["moved-card"], [])
    # The twin of a claimed refusal claims the admission.
    assert "card-back-in-its-meter" in row.admitted.claimed
    assert row.state is State.COVERED
    # Seen in every run, claimed by none.
    assert rows["hss/hss.peer"].admitted.seen
    assert not rows["hss/hss.peer"].admitted.covered
    assert rows["hss/hss.peer"].state is State.OPEN
    assert learned.state is State.PARTLY


def test_what_is_not_built_is_open() -> None:
    coverage = covered(SHIPPED / "demo")
    assert len(coverage.entries) == len(requirements())
    voice = entry(coverage, "fn.voice.directed")
    assert (voice.state, voice.missing, voice.rows) == (State.OPEN, ["scp", "bss"], [])
    assert all(each.requirement.enforced_by for each in coverage.entries)


def test_a_scenario_that_does_not_pass_covers_nothing(tmp_path: Path) -> None:
    text = (SHIPPED / "demo" / "moved-card.yaml").read_text().replace("5001", "5004")
    (tmp_path / "wrong.yaml").write_text(text.replace("twin: card", f"twin: {SHIPPED}/demo/card"))
    coverage = covered(tmp_path / "wrong.yaml")
    assert coverage.broken == [("wrong", "an expectation was not met")]
    [row] = [row for row in entry(coverage, "bind.hss.learned").rows if row.point.name == "hss/bind.hss.learned"]
    assert not row.refused.covered


def test_json_and_page_hold_the_same() -> None:
    coverage = covered(SHIPPED / "demo")
    data = json.loads(json.dumps(as_data(coverage)))
    learned = next(each for each in data["requirements"] if each["id"] == "bind.hss.learned")
    assert learned["state"] == "partly"
    assert learned["points"][0]["refused"] == {"claimed": ["moved-card"], "seen": []}
    page = page_of(coverage)
    assert summary(coverage) in page
    assert "moved-card" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
