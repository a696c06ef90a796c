"""The EIR over the memory transport and TCP, asked by an MME of a few lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from simulators.eir import config as eir_config
from simulators.eir.config import EirBinding, EirConfig, EirSignalling
from simulators.eir.element import Eir
from simwarden.errors import ConfigError, ManagementError
from simwarden.model.identity import Imei, Plmn
from simwarden.operations.management import Role
from simwarden.operations.terminal_library import SHIPPED, load_library, read_library
from simwarden.runtime.declare import Declaration, ElementConfig
from simwarden.runtime.diameter import Unreachable
from simwarden.testing import Bench, ScriptedEir, ScriptedMme
from simwarden.trace.events import StateChange
from simwarden.trace.rows import rows_of

if TYPE_CHECKING:
    from simwarden.runtime.loop import TestbedLoop

REALM = Plmn.parse("001-01").realm
IMSI = "001010000000017"
METER, PHONE, OTHER = "99000101000001", "99000201000001", "12345678000001"


APPROVED = {"approver": "Li Wei", "reason": "meters replaced", "form": "F-21"}


class Net(Bench):
    """An EIR, an MME and a stranger."""

    subject = "eir"

    def __init__(
        self, loop: TestbedLoop, transport: str = "memory", *, switches: Any = None, store: str = "", **config: Any
    ) -> None:
        super().__init__(loop, transport=transport, switches=switches or {}, stores={"eir": store})
        self.eir = self.add("eir", Eir, config)
        self.mme, self.evil = (self.add(name, ScriptedMme, {"eir": "eir", "imsi": IMSI}) for name in ("mme", "evil"))

    async def pool(self, *entries: dict[str, Any]) -> None:
        body = {
            "name": "card",
            "imsi": IMSI,
            "iccid": "1",
            "msisdn": "1",
            "k": "00",
            "opc": "00",
            "profile": "meter",
            "form": "plug-in",
            "sections": {"binding": list(entries)},
        }
        held = (await self.call("GET", f"/cards/{IMSI}"))["pool"]
        if held is None:
            await self.call("PUT", f"/cards/{IMSI}", body)
            return
        with pytest.raises(ManagementError) as caught:
            await self.call("PUT", f"/cards/{IMSI}", body)
        assert caught.value.status == 409
        path = f"/cards/{IMSI}/pool"
        await (self.call("PUT", path, {**entries[0], **APPROVED}) if entries else self.call("DELETE", path, APPROVED))


@pytest.mark.parametrize("transport", ["memory", "tcp"])
async def test_the_three_lists(loop: TestbedLoop, transport: str) -> None:
    net = Net(loop, transport, prohibited=["99000200-99000299"], tracked=[METER + "7"], allowed=[PHONE])

    async with net:
        assert await net.mme.status(PHONE) == 0
        assert await net.mme.status("99000202000001") == 1
        assert await net.mme.status(METER) == 2
        assert await net.mme.status(OTHER) == 0
        for form in ("5", "01"):
            assert await net.mme.status("99000202000001" + form) == 1
        assert await net.mme.status(OTHER, imsi="") == 0
    assert net.verdicts("eir.equipment") == [True, False, True, True, False, False, True]
    seen = [e.value for e in net.host.trace.events if isinstance(e, StateChange)]
    assert seen[1] == {"imsi": IMSI, "imei": Imei("99000202000001").imei, "status": "prohibited", "kind": "phone"}


async def test_unknown_equipment_is_5422_where_configured(loop: TestbedLoop) -> None:
    net = Net(loop, unlisted="unknown", allowed=["module"], prohibited=["phone"])

    async with net:
        answer = await net.mme.ecr(OTHER)
        assert (answer.experimental_result, answer.get("Equipment-Status")) == (5422, None)
        assert await net.mme.status(METER) == 0
        assert await net.mme.status(PHONE) == 1


async def test_an_ecr_without_an_imei_or_with_a_bad_one(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        missing, bad = await net.mme.ecr(None), await net.mme.ecr("99x")
        assert (missing.result_code, missing.find("Failed-AVP", "IMEI")) == (5005, "")
        assert (bad.result_code, bad.find("Failed-AVP", "IMEI")) == (5004, "99x")
        assert (await net.mme.ecr(METER, realm="elsewhere.example")).result_code == 3003
        assert (await net.mme.ecr(METER, host=f"evil.{REALM}")).result_code == 5004
    assert False in net.verdicts("eir.peer")


async def test_a_stranger_may_not_ask(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        with pytest.raises(Unreachable):
            await net.evil.status(METER)


@pytest.mark.parametrize("kill", [False, True])
async def test_who_stops_says_goodbye_and_who_loses_power_does_not(loop: TestbedLoop, *, kill: bool) -> None:
    net = Net(loop)

    async with net:
        assert await net.mme.status(METER) == 0
        assert not any(note.startswith("S13") for note in net.notes()), "there is no platform to be connected to"
        seen = len(net.trace.events)
        await net.host.stop("eir", kill=kill)
        said = [each.name for each in rows_of(net.trace.events[seen:]) if each.source == "eir" and each.name]
        assert said == ["disconnect-peer-request"] * (not kill)


async def test_a_card_is_tied_to_a_pool(loop: TestbedLoop, store_url: str) -> None:
    net = Net(loop, store=store_url)

    async with net:
        await net.pool({"by": "eir", "imeis": [METER], "kinds": ["tracker"]})
        assert await net.mme.status(METER) == 0
        assert await net.mme.status("99000111000001") == 0
        assert await net.mme.status(PHONE) == 1
        assert await net.mme.status(PHONE, imsi="001010000000099") == 0
        await net.host.stop("eir", kill=True)
        await net.host.start("eir")
        assert await net.mme.status(PHONE) == 1
        assert (await net.call("GET", f"/cards/{IMSI}"))["pool"]["kinds"] == ["tracker"]
        await net.pool()
        assert await net.mme.status(PHONE) == 0
    assert net.verdicts("eir.pool") == [True, True, False, False]


@pytest.mark.parametrize(("switch", "meter", "phone"), [("always-admit", 0, 0), ("always-refuse", 1, 1)])
@pytest.mark.parametrize("control", ["eir.equipment", "eir.pool"])
async def test_the_answer_follows_the_decision_when_a_rule_is_replaced(
    loop: TestbedLoop, control: str, switch: str, meter: int, phone: int
) -> None:
    net = Net(loop, switches={control: switch}, prohibited=[PHONE] if control == "eir.equipment" else [])

    async with net:
        await net.pool({"kinds": ["module"] if control == "eir.pool" else ["module", "phone"]})
        assert await net.mme.status(METER) == meter
        assert await net.mme.status(PHONE) == phone


async def test_lists_are_managed_and_survive(loop: TestbedLoop, store_url: str) -> None:
    net = Net(loop, store=store_url, prohibited=["99000203"])

    async with net:
        verb = {"equipment": PHONE, "status": "prohibited", "reason": "stolen"}
        assert await net.eir.manage(Role.OPERATOR, "POST", "/verbs/list_equipment", verb) == "prohibited"
        for status in ("prohibited", "tracked"):
            await net.call("PUT", "/equipment/99000101-99000109", {"status": status})
        assert await net.call("DELETE", "/equipment/99000203") == {"removed": True}
        await net.host.stop("eir", kill=True)
        await net.host.start("eir")
        assert await net.mme.status(PHONE) == 1
        assert await net.mme.status(METER) == 2
        assert await net.mme.status("99000203000001") == 0
        assert (await net.call("GET", f"/equipment/{PHONE}"))["maker"] == "Example Phones"
        unknown = await net.call("GET", "/equipment/11111111000001")
        assert (unknown["status"], unknown["kind"], unknown["maker"], unknown["model"]) == (None, "", "", "")
        assert len(await net.call("GET", "/equipment")) == 2
        assert [r["action"] for r in await net.call("GET", "/audit")] == ["list", "list", "list", "unlist"]
        for path, body in (("99", {"status": "allowed"}), (PHONE, {"status": "odd"})):
            with pytest.raises(ManagementError) as caught:
                await net.call("PUT", f"/equipment/{path}", body)
            assert caught.value.status == 400


async def test_a_call_that_is_the_operators_alone_is_refused_and_kept(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        with pytest.raises(ManagementError, match=r"PUT /equipment/.entry. is for the operator only") as refused:
            await net.eir.manage(Role.CUSTOMER, "PUT", f"/equipment/{PHONE}", {"status": "allowed"}, caller="portal")
        assert refused.value.status == 403
        [record] = await net.eir.manage(Role.OPERATOR, "GET", "/audit")
        told = record["action"], record["role"], record["caller"], record["details"]["control"]
        assert told == ("call-refused", "customer", "portal", "management.role")


async def test_a_users_library_takes_the_place_of_the_shipped_one(
    loop: TestbedLoop, tmp_path: Path, store_url: str
) -> None:
    own = tmp_path / "own.csv"
    own.write_text("model,kind,tac\nX,phone,12345678\n", encoding="utf-8")
    net = Net(loop, store=store_url, prohibited=["phone"], library=str(own))

    async with net:
        assert await net.mme.status(OTHER) == 1
        assert await net.mme.status(PHONE) == 0
        assert await net.call("POST", "/library", {"csv": "tac,kind\n99000201,phone\n"}) == {"terminals": 1}
        assert await net.mme.status(PHONE) == 1
        assert [(each["action"], each["details"]) for each in await net.call("GET", "/audit")] == [
            ("library", {"terminals": 1})
        ]
        with pytest.raises(ManagementError, match="csv:2"):
            await net.call("POST", "/library", {"csv": "tac,kind\n9900,phone\n"})
        await net.host.stop("eir")
        await net.host.start("eir")
        assert await net.mme.status(PHONE) == 1


def test_the_shipped_library_reads_and_bad_ones_name_the_line(tmp_path: Path) -> None:
    assert load_library("")["99000201"].kind == "phone"
    assert SHIPPED.name == "terminals.csv"
    for text, place in (("tac\n1", "l:1"), ("tac,kind\n12345678,\n", "l:2"), ("tac,kind\n12345678,a\n1,b\n", "l:3")):
        with pytest.raises(ConfigError, match=place):
            read_library(text, "l")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_library(str(tmp_path / "none.csv"))


def test_bad_settings_are_said_when_read() -> None:
    for settings in ({"prohibited": ["99"]}, {"tracked": ["phone 7"]}, {"unlisted": "maybe"}, {"plmn": "x"}):
        with pytest.raises(ValueError, match="validation error"):
            EirConfig.model_validate(settings)
    with pytest.raises(ValueError, match="imeis or kinds"):
        EirBinding.model_validate({"by": "eir"})


def test_the_profile_explains_every_setting() -> None:
    text = Path(eir_config.__file__).with_name("profile.yaml").read_text(encoding="utf-8")
    profile = EirConfig.model_validate(yaml.load(text, yaml.CBaseLoader))  # noqa: S506 - scalars stay strings
    assert profile.model_fields_set == set(EirConfig.model_fields)
    assert profile == EirConfig(signalling=EirSignalling())


async def test_a_pool_of_kinds_alone_holds_these_kinds(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        await net.pool({"by": "eir", "kinds": ["module"]})
        assert await net.mme.status(METER) == 0
        assert await net.mme.status(PHONE) == 1
        assert await net.mme.status(OTHER) == 1  # no kind is known of it


async def test_the_audit_tells_what_a_card_was_tied_to(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        await net.pool()
        await net.pool({"by": "eir", "imeis": [METER]})
        assert (await net.call("GET", f"/cards/{IMSI}"))["pool"]["imeis"] == [Imei(METER).imei]
        await net.pool()
        assert (await net.call("GET", f"/cards/{IMSI}"))["pool"] is None
        await net.pool({"by": "eir", "imeis": [METER]})
        await net.pool({"by": "eir", "imeis": [PHONE]})
        told = [(each["action"], each["details"].get("imeis")) for each in await net.call("GET", "/audit")]
        meter, phone = [Imei(METER).imei], [Imei(PHONE).imei]
        refused = ("provision-refused", None)
        assert told == [
            ("provision", None), ("pool", meter), refused, ("pool", None), ("pool", meter), refused, ("pool", phone),
        ]  # fmt: skip
        assert await net.mme.status(METER) == 1
        told = await net.call("PUT", f"/cards/{IMSI}/pool", {"imeis": [METER], **APPROVED})
        assert told["pool"]["imeis"] == meter
        assert await net.call("DELETE", f"/cards/{IMSI}/pool", APPROVED) == {"imsi": IMSI, "pool": None}


class Platform(ScriptedEir):
    """A platform behind the HSS."""

    declaration = Declaration(kind="cmp", title="CMP", lane=2, config=ElementConfig, listens=("S13",))


@pytest.mark.parametrize(
    ("says", "avps", "result", "status"),
    [
        (2001, [("Equipment-Status", 0)], 2001, 0),
        (2001, [("Equipment-Status", 2)], 2001, 0),
        (2001, [("Equipment-Status", 1)], 2001, 1),
        (2001, [], 5012, None),  # a success that says nothing
        (2001, [("Equipment-Status", 9)], 5012, None),  # a status that there is not
        (5012, [("Equipment-Status", 0)], 5012, None),  # a failure, whatever else it says
        (3004, [], 5012, None),
    ],
)
async def test_only_a_status_of_the_platform_allows(
    loop: TestbedLoop, says: int, avps: Any, result: int, status: int | None
) -> None:
    net = Net(loop, cmp="cmp", peers={"mme": {}, "cmp": {}})
    platform = net.add("cmp", Platform)

    async with net:
        platform.answers["me-identity-check"] = lambda _: (says, avps)
        answer = await net.mme.ecr(METER)
        assert (answer.result_code, answer.get("Equipment-Status")) == (result, status)
        assert [each.get("User-Name") for each in platform.asked] == [IMSI]
        assert (await net.mme.ecr(METER, imsi="")).get("Equipment-Status") == 0  # no card, no question
        assert len(platform.asked) == 1
    assert net.verdicts("eir.platform") == [status == 0]


async def test_a_terminal_that_the_register_refuses_is_not_asked_about(loop: TestbedLoop) -> None:
    net = Net(loop, cmp="cmp", prohibited=[PHONE])
    platform = net.add("cmp", Platform)

    async with net:
        assert await net.mme.status(PHONE) == 1
        assert platform.asked == []


async def test_the_audit_is_told_a_page_at_a_time(loop: TestbedLoop) -> None:
    net = Net(loop)

    async with net:
        for number in range(3):
            await net.call("PUT", f"/equipment/9900010100000{number}", {"status": "prohibited", "reason": "stolen"})
        first = await net.call("GET", "/audit?limit=2")
        assert [each["subject"][:14] for each in first] == ["99000101000000", "99000101000001"]
        rest = await net.call("GET", f"/audit?after={first[-1]['id']}")
        assert [each["subject"][:14] for each in rest] == ["99000101000002"]
        with pytest.raises(ManagementError) as refused:
            await net.call("GET", "/audit?limit=1001")
        assert refused.value.status == 400
