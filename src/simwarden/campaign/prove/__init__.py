"""Mutation testing of enforcement: a scenario must fail when a control admits, or refuses, everything."""
