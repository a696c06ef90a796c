"""What the OpenAPI documents of elements say of bodies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.operations.management import Role
from simwarden.operations.openapi import document
from simwarden.scenario.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = Registry.installed().kinds
IDENTITIES = {
    "imsi": "001010000000017",
    "msisdn": "+861440000000017",
    "iccid": "8986000000000000017",
    "imei": "990001010000016",
}


def bodies(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the schemas that requests are made of."""
    waiting = [call.get("requestBody", {}) for path in told["paths"].values() for call in path.values()]
    seen: set[str] = set()
    while waiting:
        found = set(re.findall(r"#/components/schemas/([\w-]+)", str(waiting.pop()))) - seen
        seen |= found
        for name in found:
            waiting.append(told["components"]["schemas"][name])
            yield name, told["components"]["schemas"][name]


@pytest.mark.parametrize("kind", ["hss", "cmp", "eir", "mme"])
def test_an_identity_in_a_body_has_its_pattern(kind: str) -> None:
    named = set()
    for schema, told in bodies(document(KINDS[kind], Role.OPERATOR)):
        for name, value in told.get("properties", {}).items():
            if name in IDENTITIES and schema != "BatchItem":  # of a batch, what is wrong is that card's fault
                named.add(name)
                assert re.search(value["pattern"], IDENTITIES[name]), (schema, name)
                assert not re.search(value["pattern"], "letters"), (schema, name)
    assert {"imsi", "msisdn", "iccid"} <= named
