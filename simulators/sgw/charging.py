"""What an SGW tells of a bearer: a CDR when it ends, or a part of one (TS 32.251 5.2.3.4, TS 32.298 5.1.2.2)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from simwarden.runtime.gtp.charging import Account, served_addresses
from simwarden.wire.gtpv2 import network_identifier
from simwarden.wire.gtpv2.enums import SelectionMode

if TYPE_CHECKING:
    from simulators.sgw.core import Core
    from simulators.sgw.session import Bearer, Connection
    from simwarden.wire.gtpv2 import Message


def begin(core: Core, connection: Connection, asked: Message, told: Message) -> None:
    """Count for a bearer that the PGW has set up from now on."""
    mine = {
        "servedIMSI": asked.get("imsi"),
        "servedMSISDN": asked.get("msisdn"),
        "servedIMEI": asked.get("mei"),
        "apnSelectionMode": asked.get("selection_mode", SelectionMode.SUBSCRIPTION_VERIFIED),
        "chargingCharacteristics": (asked.get("charging_characteristics") or b"").hex(),
        "chargingID": told["bearer_contexts_created"][0].get("charging_id") or 0,
        "pDNConnectionChargingID": told.get("pdn_connection_charging_id"),
        "servingNodePLMNIdentifier": str(asked.get("serving_network") or ""),
    }
    paa = told.get("paa")
    if paa is not None:
        mine |= served_addresses(paa)
    connection.charged = mine
    connection.account = Account(core.records, partial(_describe, core, connection, mine), connection.device.uli)


def begin_dedicated(core: Core, connection: Connection, bearer: Bearer, charging_id: int) -> None:
    """Count for a dedicated bearer, which has records of its own under the PDN connection's (TS 32.251 5.2.1.2)."""
    mine = {**connection.charged, "chargingID": charging_id}
    mine["pDNConnectionChargingID"] = (
        connection.charged.get("pDNConnectionChargingID") or connection.charged["chargingID"]
    )
    bearer.account = Account(core.records, partial(_describe, core, connection, mine), connection.device.uli)


def _describe(core: Core, connection: Connection, mine: dict[str, Any]) -> dict[str, Any]:
    device = connection.device
    return {
        **mine,
        "s-GWAddress": core.node.address,
        "p-GWAddressUsed": connection.pgw.address,
        "servingNodeAddress": [device.mme.address],
        "servingNodeType": ["mME"],
        "accessPointNameNI": network_identifier(connection.apn),
        "rATType": device.rat.name if device.rat is not None else "",
    }
