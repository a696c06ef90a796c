"""The results as JUnit XML, which every CI shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import junitparser
from junitparser import Attr, Error, Failure, Property, TestCase, TestSuite

from simwarden.scenario.failure import text_of
from simwarden.scenario.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simwarden.scenario.result import FailureRecord, ScenarioResult

#: the parts of junitparser that have no types
_untyped: Any = junitparser
#: what XML 1.0 cannot hold at all
_UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_of(results: Sequence[ScenarioResult]) -> bytes:
    """Return the document. An inconclusive scenario is a failure of type `inconclusive`, since it is not passed."""
    suite = TestSuite("simwarden")
    for result in results:
        suite.add_testcase(_case(result))
    suite.time = round(sum(result.seconds for result in results), 3)
    xml = _untyped.JUnitXml()
    xml.add_testsuite(suite)
    document: bytes = xml.tostring()
    return document


class _Case(TestCase):
    file = Attr()


def _case(result: ScenarioResult) -> TestCase:
    case = _Case(fit(result.title), classname=fit(result.name), time=round(result.seconds, 3))
    case.file = fit(result.path)
    if result.failure is not None:
        kind = Error if result.verdict is Verdict.ERROR else Failure
        case.result = [_outcome(kind, result.verdict, result.failure)]
    said = {
        name: fit(" ".join(values)) for name, values in (("proves", result.proves), ("tags", result.tags)) if values
    }
    if said:
        properties = _untyped.Properties()
        for name, value in said.items():
            properties.add_property(Property(name, value))
        _untyped.TestCase.append(case, properties)
    return case


def _outcome(kind: type[Error | Failure], verdict: Verdict, record: FailureRecord) -> Error | Failure:
    outcome = kind(fit(f"{record.place}: {record.summary}"), verdict.value)
    outcome.text = fit(text_of(record))
    return outcome


def fit(text: str) -> str:
    """Return text with what XML cannot hold replaced."""
    return _UNFIT.sub("\ufffd", text)
