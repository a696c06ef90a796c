"""Guideline 1.3(1), 2.2.3(3) three: for which destinations a card gets rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwarden.model.values import GIVEN
from simwarden.policy.decision import Ruling
from simwarden.policy.details import tells

if TYPE_CHECKING:
    from collections.abc import Sequence


@tells(expected=GIVEN.or_none())
def judge_directed(*, whitelist: Sequence[str] | None) -> Ruling:
    """Rule whether a card's session gets a rule for all destinations: not that of a card with a whitelist."""
    if whitelist is None:
        return Ruling.admit("the card is not directed")
    return Ruling.refuse(f"rules for its whitelist alone ({len(whitelist)} entries)", expected=list(whitelist))
