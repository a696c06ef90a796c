"""Experiments: how late a change acts, whom a failing decider hurts, and what a cause costs in signalling.

An experiment is a story like a scenario, with a `measure` in place of expectations, and axes (`vary`) that make many
cases of it. Its figures come from the trace alone; the same seed gives the same figures, so that they are recorded
and compared.
"""
