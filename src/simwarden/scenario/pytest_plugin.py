"""pytest collects scenario files; nothing heavy is imported before one is seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

_SUFFIXES = (".yaml", ".yml")
_MARK = re.compile(rb"^(?:\xef\xbb\xbf)?['\"]?scenario['\"]?[ \t]*:", re.MULTILINE)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """Collect YAML files that have a top-level `scenario:` key."""
    if file_path.suffix not in _SUFFIXES or not _MARK.search(file_path.read_bytes()):
        return None
    return ScenarioFile.from_parent(parent, path=file_path)


class ScenarioFailure(Exception):  # noqa: N818 - pytest shows its text alone
    """A scenario that did not pass; the text is its record."""


class ScenarioFile(pytest.File):
    """A scenario file: a test for each of its cases."""

    def collect(self) -> Iterable[ScenarioItem]:
        """Yield the tests; that of a case without a name is called as the file is."""
        from simwarden.scenario.suite import case_names  # noqa: PLC0415 - see the module

        for case in case_names(self.path):
            yield ScenarioItem.from_parent(self, name=case or self.path.stem, case=case)


class ScenarioItem(pytest.Item):
    """Runs a case of a scenario file in a loop of its own."""

    def __init__(self, *, case: str = "", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.case = case

    def runtest(self) -> None:
        """Check and run the scenario."""
        from simwarden.errors import SimwardenError  # noqa: PLC0415 - see the module
        from simwarden.scenario.case_reference import join_reference  # noqa: PLC0415
        from simwarden.scenario.failure import text_of  # noqa: PLC0415
        from simwarden.scenario.load import Loader  # noqa: PLC0415
        from simwarden.scenario.runner import RunOptions, run_scenario  # noqa: PLC0415

        reference = join_reference(self._path(), self.case)
        try:
            scenario = Loader().validate(reference, to_run=True)
        except SimwardenError as error:
            raise ScenarioFailure(str(error)) from error
        result = run_scenario(scenario, self.name, RunOptions())
        if result.failure is not None:
            raise ScenarioFailure(f"{result.verdict.value}: {result.title}\n{text_of(result.failure)}")

    def _path(self) -> str:
        """Return the path as it leads there from the current folder: pytest's root may be another one."""
        here = Path.cwd()
        return str(self.path.relative_to(here) if self.path.is_relative_to(here) else self.path)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the record; a traceback only for an internal error."""
        if isinstance(excinfo.value, ScenarioFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where and what."""
        return self.path, 0, f"scenario: {self.name}"
