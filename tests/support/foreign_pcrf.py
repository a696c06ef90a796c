"""A PCRF of another hand, led by a script: Gx of TS 29.212 on python-diameter. It knows no card and no provisioning.

    python foreign_pcrf.py --port 3868 --script rules.yaml

Beside what `foreign_credit` says, an answer to a request and a Re-Auth-Request may have:

    install: [RULE...]   Charging-Rule-Install
    remove: [NAME...]    Charging-Rule-Remove
    release: 0           Session-Release-Cause (5.3.44)
    features: 64         Feature-List of list 1 (5.4.1); ADC is bit 6

A RULE is the name of a predefined one, `{base: NAME}` for a predefined group, or a dynamic one:

    name, precedence, rating_group, online, offline, metering, qci, monitoring_key
    flows: [TEXT...]     Flow-Description, as 5.4.2 has it: permit out PROTOCOL from REMOTE [PORTS] to assigned [PORTS]
    direction: 1         Flow-Direction of all of them (5.3.65), by default 3; null leaves it out, against 5.3.53
    application: NAME    TDF-Application-Identifier
    status: 3            Flow-Status: 0 uplink, 1 downlink, 2 both, 3 closed, 4 removed
    avps: {}             more AVPs of the Charging-Rule-Definition
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diameter.message.constants import APP_3GPP_GX
from foreign_credit import CreditServer, serve
from foreign_diameter import VENDOR, Tree

if TYPE_CHECKING:
    from foreign_diameter import Received

GX = APP_3GPP_GX
#: of a rule to AVPs of Charging-Rule-Definition
AVPS = {
    "name": "Charging-Rule-Name",
    "rating_group": "Rating-Group",
    "application": "TDF-Application-Identifier",
    "status": "Flow-Status",
    "online": "Online",
    "offline": "Offline",
    "metering": "Metering-Method",
    "precedence": "Precedence",
    "monitoring_key": "Monitoring-Key",
}
#: Allocation-Retention-Priority of rules with a QoS: as a default bearer's mostly is, neither taking nor giving way
ARP = {"Priority-Level": 8, "Pre-emption-Capability": 1, "Pre-emption-Vulnerability": 1}
DISABLED, ENABLED = 3, 2
BIDIRECTIONAL = 3
ADC = 1 << 6


def definition(rule: Tree) -> Tree:
    """Return the AVPs of a Charging-Rule-Definition (TS 29.212 5.3.4). Raises KeyError for a key that is none."""
    made: Tree = {}
    for key, value in rule.items():
        if key in AVPS:
            made[AVPS[key]] = value
        elif key not in {"flows", "direction", "qci", "arp", "avps"}:
            raise KeyError(key)
    if "flows" in rule:
        direction = rule.get("direction", BIDIRECTIONAL)
        way = {} if direction is None else {"Flow-Direction": direction}
        made["Flow-Information"] = [{"Flow-Description": text, **way} for text in rule["flows"]]
    if "qci" in rule:
        made["QoS-Information"] = {
            "QoS-Class-Identifier": rule["qci"],
            "Allocation-Retention-Priority": rule.get("arp", ARP),
        }
    return {**made, **rule.get("avps", {})}


def install(rules: list[Any]) -> Tree:
    """Return the AVPs that install or change rules (TS 29.212 5.3.2)."""
    dynamic = [definition(each) for each in rules if isinstance(each, dict) and "base" not in each]
    names = [each for each in rules if isinstance(each, str)]
    bases = [each["base"] for each in rules if isinstance(each, dict) and "base" in each]
    parts = {
        "Charging-Rule-Definition": dynamic,
        "Charging-Rule-Name": names,
        "Charging-Rule-Base-Name": bases,
    }
    return {"Charging-Rule-Install": {name: values for name, values in parts.items() if values}}


class ForeignPcrf(CreditServer):
    """Answers each PGW by the script, and keeps what it was asked (`received`)."""

    own = frozenset({"install", "remove", "release", "features"})

    def __init__(self, script: Tree | None = None, *, name: str = "pcrf", **where: Any) -> None:
        super().__init__(name, GX, script, **where)

    def content(self, request: Received | None, step: Tree) -> Tree:
        made: Tree = {}
        if "features" in step and request is not None:
            features = {"Vendor-Id": VENDOR, "Feature-List-ID": 1, "Feature-List": step["features"]}
            made["Supported-Features"] = features
        if "release" in step:
            made["Session-Release-Cause"] = step["release"]
        if "remove" in step:
            made["Charging-Rule-Remove"] = {"Charging-Rule-Name": step["remove"]}
        if "install" in step:
            made |= install(step["install"])
        return made


if __name__ == "__main__":
    serve(ForeignPcrf)
