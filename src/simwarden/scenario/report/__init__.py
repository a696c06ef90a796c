"""Reports of a run: `index.html`, `junit.xml`, `events.jsonl` and a capture `NAME.pcapng` for each scenario."""

from simwarden.scenario.report.files import Report, write_report

__all__ = ["Report", "write_report"]
