"""The page of a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.scenario.proving.proof import summary
from simwarden.scenario.report.sheet import render_sheet

if TYPE_CHECKING:
    from simwarden.scenario.proving.proof import Proof


def page_of(proof: Proof) -> str:
    """Return the page: score, survivors with what to write, and each mutant with who noticed it."""
    return render_sheet(
        "prove.html.j2",
        title="prove",
        killed=len(proof.killed),
        mutants=len(proof.judged),
        judged=proof.judged,
        summary=summary(proof),
        findings=proof.findings,
        survivors=proof.survivors,
        broken=proof.broken,
        weak=proof.weak,
    )
