"""The results as JUnit XML, which every CI shows."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

import junitparser
from junitparser import Attr, Error, Failure, Property, TestCase, TestSuite

from simwarden.errors import ConfigError, Place
from simwarden.scenario.case_reference import folders_of
from simwarden.scenario.failure import text_of
from simwarden.scenario.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simwarden.scenario.result import FailureRecord, ScenarioResult

#: the parts of junitparser that have no types
_untyped: Any = junitparser
#: what XML 1.0 cannot hold at all
_UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_of(results: Sequence[ScenarioResult]) -> bytes:
    """Return the document, with a suite for each folder.

    An inconclusive scenario is a failure of type `inconclusive`, since it is not passed.
    """
    by_folder: dict[str, list[ScenarioResult]] = {}
    for folder, result in zip(folders_of([each.reference for each in results]), results, strict=True):
        by_folder.setdefault(folder or "simwarden", []).append(result)
    xml = _untyped.JUnitXml()
    for name, members in (by_folder or {"simwarden": []}).items():
        xml.add_testsuite(_suite(name, members))
    document: bytes = xml.tostring()
    return document


def _suite(name: str, results: Sequence[ScenarioResult]) -> TestSuite:
    suite = TestSuite(name)
    for result in results:
        suite.add_testcase(_case(result))
    began = min((result.began for result in results if result.began), default=0.0)
    if began:
        suite.timestamp = dt.datetime.fromtimestamp(began, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    suite.time = round(sum(result.seconds for result in results), 3)
    return suite


class _Case(TestCase):
    file = Attr()


def _case(result: ScenarioResult) -> TestCase:
    case = _Case(fit(result.title), classname=fit(result.name), time=round(result.seconds, 3))
    case.file = fit(result.reference)
    said = {
        name: fit(" ".join(values)) for name, values in (("proves", result.proves), ("tags", result.tags)) if values
    }
    if said:
        properties = _untyped.Properties()
        for name, value in said.items():
            properties.add_property(Property(name, value))
        _untyped.TestCase.append(case, properties)
    if result.failure is not None:  # after the properties: the schemas that CI servers read by have an order
        kind = Error if result.verdict is Verdict.ERROR else Failure
        case.result = [*case.result, _outcome(kind, result.verdict, result.failure)]
    return case


def _outcome(kind: type[Error | Failure], verdict: Verdict, record: FailureRecord) -> Error | Failure:
    outcome = kind(fit(f"{record.place}: {record.summary}"), verdict.value)
    outcome.text = fit(text_of(record))
    return outcome


def fit(text: str) -> str:
    """Return text with what XML cannot hold replaced."""
    return _UNFIT.sub("\ufffd", text)


def not_passed(path: Path) -> list[str]:
    """Return the files of the scenarios that did not pass, by the document of an earlier run. Raises ConfigError."""
    return [str(case.file) for case in _cases(path) if case.result]


def names(path: Path) -> list[str]:
    """Return the names of all scenarios. Raises ConfigError."""
    return [str(case.classname) for case in _cases(path)]


def _cases(path: Path) -> list[Any]:
    untyped: Any = _Case
    try:
        document = _untyped.JUnitXml.fromfile(str(path))
        cases = [untyped.fromelem(case) for suite in document for case in suite]
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", Place(str(path))) from error
    except (SyntaxError, _untyped.JUnitXmlError) as error:  # a SyntaxError is that of XML
        raise ConfigError("is no report of JUnit in XML", Place(str(path))) from error
    return [case for case in cases if case is not None]
