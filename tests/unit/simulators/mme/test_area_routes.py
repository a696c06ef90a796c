"""The management routes of areas: what they change, show and keep, and where they leave things alone."""

from __future__ import annotations

from typing import Any

from simwarden.operations.management import Role
from simwarden.testing.diameter import IMSI

APPROVAL = {"approver": "Li Wei", "reason": "meter moved", "form": "F-21"}
HOME, NEXT = "001-01-0000101", "001-01-0000102"
PATH = f"/cards/{IMSI}/area"


async def _provision(network: Any, *areas: dict[str, Any]) -> Any:
    card = dict.fromkeys(("name", "iccid", "msisdn", "k", "opc", "profile", "form"), "")
    body = {**card, "imsi": IMSI, "sections": {"area": list(areas)} if areas else {}}
    return await network.mme.manage(Role.OPERATOR, "PUT", f"/cards/{IMSI}", body)


def _shown(network: Any) -> list[Any]:
    return [each and (each["cells"], each["stations"], each["used"]) for each in network.observed("area", key=IMSI)]


def _actions(network: Any) -> list[str]:
    return [each["action"] for each in network.mme.core.areas.audited(IMSI)]


async def test_a_card_is_provisioned_with_an_area_once_or_with_none(run: Any) -> None:
    async with run() as network:
        assert (await _provision(network))["area"] is None
        assert (_shown(network), _actions(network), network.decisions("area.held")) == ([], [], [])
        for _ in range(2):
            assert (await _provision(network, {"cells": [HOME]}))["area"]["cells"] == [HOME]
        assert (_shown(network), _actions(network)) == ([([HOME], 0, [])], ["provision"])
        assert network.verdicts("area.held") == [True]


async def test_an_area_comes_and_goes_by_order_of_the_operator(run: Any) -> None:
    async with run() as network:
        for method, path in (("DELETE", PATH), ("DELETE", f"{PATH}/used")):
            if path == PATH:
                told = await network.mme.manage(Role.OPERATOR, method, path, APPROVAL)
                assert (told["area"], told["outside"]) == (None, False)
            else:
                assert await network.refused(method, path, APPROVAL) == 404
        assert (_shown(network), _actions(network)) == ([], [])
        body = {"cells": [HOME], "stations": 1}
        await network.mme.manage(Role.OPERATOR, "PUT", PATH, {**body, **APPROVAL})
        assert network.decisions("area.changes") == []
        await network.attached()
        await network.mme.manage(Role.OPERATOR, "DELETE", f"{PATH}/used", APPROVAL)
        await network.mme.manage(Role.OPERATOR, "DELETE", PATH, APPROVAL)
        shown = _shown(network)
        assert (shown[0], shown[-2:]) == (([HOME], 1, []), [([HOME], 1, []), None])
        assert ([HOME], 1, ["001-01-00001"]) in shown
        assert _actions(network)[0] == "area"
        before = [each["details"]["before"] for each in network.mme.core.areas.audited(IMSI)]
        assert [each and each["used"] for each in before] == [None, ["001-01-00001"], []]
        assert len(network.decisions("area.changes")) == 2
