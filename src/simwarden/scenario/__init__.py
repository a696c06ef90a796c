"""Scenarios: files, runner, expectations, reports."""
