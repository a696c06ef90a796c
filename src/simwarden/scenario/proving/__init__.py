"""Mutation testing of enforcement: a scenario must fail when a control admits, or refuses, everything."""

from simwarden.scenario.proving.choice import Choice
from simwarden.scenario.proving.proof import Finding, Outcome, Proof
from simwarden.scenario.proving.prove import prove

__all__ = ["Choice", "Finding", "Outcome", "Proof", "prove"]
