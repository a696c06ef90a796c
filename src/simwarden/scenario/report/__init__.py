"""Reports of a run: `index.html`, `junit.xml`, `events.jsonl` and a capture `NAME.pcapng` for each scenario."""

from simwarden.scenario.report.files import write_report

__all__ = ["write_report"]
