"""The data file of requirements: complete in itself, and what every control and scenario names."""

import re
from pathlib import Path

from simwarden.policy.requirements import clauses, requirements
from simwarden.scenario.registry import Registry


def test_every_requirement_has_clause_titles_and_rule() -> None:
    for each in requirements().values():
        assert re.fullmatch(r"[1-4](\.\d)*(\(\d+\))?( (one|two|three|four))?([-,] ?([\d.]+|appendix))?", each.clause), (
            each
        )
        assert re.search("[\u4e00-\u9fff]", each.title_zh), each
        assert each.title, each
        assert each.rule, each


def test_what_permits_and_what_goes_beyond_is_marked() -> None:
    assert [each.id for each in requirements().values() if not each.restricts] == ["fn.voice.open", "fn.sms.open"]
    assert [each.id for each in requirements().values() if each.beyond] == [
        "bind.operator.own",
        "bind.change",
        "bind.peer",
        "bind.card.applet",
        "area.change",
        "reg.issued",
    ]


# Who has to act, written a second time, from the clauses: who decides, who makes it so, and who finds it afterwards.
ACT = {
    "fn.core": "mme pgw smsc bss",  # dedicated elements chosen, dedicated numbers; "is provisioned" is not this
    "fn.voice.directed fn.voice.open": "scp ssp bss classify",
    "fn.change": "pcrf pgw smsc sms_gateway scp bss",  # whoever keeps a list
    "fn.sms.directed fn.sms.open": "smsc sms_gateway bss",
    "fn.data.directed": "pgw pcrf bss",
    "fn.data.small fn.data.large": "ocs pgw monitoring",
    "quota": "ocs pgw smsc scp ssp",
    "pre.range": "bss hss audit",
    "pre.form bind.card.applet": "uicc",
    "bind.hss.given bind.hss.learned": "hss mme",
    "bind.cmp": "cmp hss mme",
    "bind.pool": "cmp eir mme",
    "bind.operator": "hss cmp uicc",
    "bind.operator.own": "cmp",
    "bind.change": "hss cmp",
    "bind.peer": "hss eir cmp",
    "bind.card": "device",
    "area.cell area.count": "mme pgw",
    "area.range": "mme pgw hss",
    "area.change": "hss mme",
    "dir.voice": "ssp scp",
    "dir.sms": "mme msc smsc sms_gateway platform",
    "dir.data.vpdn": "pgw ar customer_edge",
    "dir.data.apn": "mme pgw customer_edge",
    "dir.data.whitelist": "pcrf pgw",
    "dir.data.edge": "device access_gateway security_platform",
    "black": "pgw access_gateway device",
    "mon.separation": "hss cmp mme monitoring",
    "mon.area": "mme monitoring",
    "mon.threshold mon.whitelist mon.phone mon.abnormal mon.data mon.sms mon.roaming mon.own": "monitoring",
    "class.need class.off class.quota class.large class.form class.area": "classify bss",
    "class.table1 class.table2 class.table3 class.uses": "classify bss",
    "reg.contract": "cmp bss",
    "reg.relay": "cmp monitoring",
    "reg.issued": "hss cmp",
    "reg.channel reg.papers reg.unit reg.check reg.photo reg.log reg.user": "bss",
}


def test_all_who_have_to_act_are_named() -> None:
    wanted = {name: set(kinds.split()) for names, kinds in ACT.items() for name in names.split()}
    assert {name: set(each.enforced_by) for name, each in requirements().items()} == wanted


def test_every_control_serves_a_requirement() -> None:
    for found in Registry.installed().controls.values():
        for kind, control in found:
            assert set(control.requirements) <= set(requirements()), (kind, control.id)


def test_the_data_file_is_part_of_the_package() -> None:
    import simwarden.policy

    assert Path(simwarden.policy.__file__).with_name("requirements.toml").is_file()


def test_a_clause_is_called_by_what_its_requirements_share() -> None:
    assert clauses()["2.2.1"] == "Area restriction"
    assert clauses()["2.1.3(1) one"] == "Network-side binding by HSS subscription"
    assert clauses()["2.1.3(1) three"] == "Network-side binding by an IMEI pool"
    assert list(clauses()) == list(dict.fromkeys(each.clause for each in requirements().values()))
