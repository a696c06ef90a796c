"""The rule book: pure functions, no I/O, no protocol. Each returns a Ruling; controls make Decisions of them."""

from simwarden.policy.decision import Control, Decision, Ruling, Verdict

__all__ = ["Control", "Decision", "Ruling", "Verdict"]
