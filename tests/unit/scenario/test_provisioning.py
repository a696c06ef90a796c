"""Whom a card's keys are sent to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from simwarden.cli import serving_provision
from simwarden.cli.serving_subscribers import Row
from simwarden.errors import ManagementError, Place
from simwarden.operations.element import Element
from simwarden.operations.provision import CardProvision
from simwarden.scenario.load import Loader
from simwarden.scenario.registry import Registry
from simwarden.scenario.result import Verdict
from simwarden.scenario.runner import RunOptions, run_scenario

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simwarden.operations.approval import By
    from simwarden.operations.management import Role

STORY = """
scenario: A card is provisioned wherever it is known
proves: [bind.hss.given]
network: {cmp: {}}
cards: {card: {profile: meter, binding: {by: hss, learn: first-use}}}
devices: {meter: {type: module}}
steps: [{insert: {card: card, into: meter}}, {power_on: meter}, {expect: {meter: {attach: accepted}}}]
"""


def test_keys_go_only_to_elements_that_declare_to_need_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, list[bool]] = {}
    manage_for = Element.manage_for

    async def record(
        self: Element[Any], caller: str, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Any:
        if method == "PUT" and path.startswith("/cards/"):
            assert body is not None
            sent.setdefault(self.declaration.kind, []).append(body["k"] is not None or body["opc"] is not None)
        return await manage_for(self, caller, method, path, body)

    monkeypatch.setattr(Element, "manage_for", record)
    story = tmp_path / "story.yaml"
    story.write_text(STORY, encoding="utf-8")
    result = run_scenario(Loader().load(story), "story", RunOptions(seed=1))
    assert result.verdict is Verdict.PASSED
    kinds = Registry.installed().kinds
    assert {kind for kind, each in kinds.items() if each.declaration.keys} == {"hss", "uicc"}
    assert {kind for kind, keys in sent.items() if any(keys)} == {"hss", "uicc"}
    assert {kind for kind, keys in sent.items() if not any(keys)} == {"cmp", "eir", "mme", "pgw"}


@pytest.mark.parametrize("kind", ["hss", "cmp"])
@pytest.mark.parametrize("many", [True, False])
def test_a_file_of_subscribers_gives_keys_to_who_needs_them_only(kind: str, *, many: bool) -> None:
    told: list[dict[str, Any]] = []

    class Told:
        declaration = Registry.installed().declaration(kind)

        async def provision_new(self, cards: list[CardProvision], by: By) -> bool:
            assert by.caller == "serve"
            told.extend(card.model_dump(exclude_unset=True) for card in cards)
            return many

        async def manage(self, _role: Role, _method: str, _path: str, body: dict[str, Any], *, caller: str) -> None:
            assert caller == "serve"
            told.append(body)

    names = {"name": "", "iccid": "", "msisdn": "", "profile": "", "form": ""}
    values = {"imsi": "001010000000001", **names, "k": "00" * 16, "opc": "11" * 16, "scenario": "x"}
    asyncio.run(serving_provision._take(Told(), [Row(values, Place("subscribers.json", 1))]))  # type: ignore[arg-type]
    assert len(told) == (1 if many else 2)
    for body in told:
        assert ("k" in body, "opc" in body) == (kind == "hss", kind == "hss")
        assert "scenario" not in body


@pytest.mark.parametrize("given", [{}, {"k": "00" * 16}, {"k": "zz" * 16, "opc": "11" * 16}, {"k": "0", "opc": "1"}])
def test_who_needs_keys_and_gets_none_says_so_and_shows_none(given: dict[str, str]) -> None:
    names = {"name": "", "imsi": "001010000000001", "iccid": "", "msisdn": "", "profile": "", "form": ""}
    provision = CardProvision.model_validate({**names, **given})
    with pytest.raises(ManagementError, match="32 hexadecimal digits each") as told:
        _ = provision.secrets
    assert told.value.status == 400
    assert all(value not in str(told.value) for value in given.values() if len(value) > 1)
    assert "00" * 16 not in repr(provision)
