"""A PGW's questions by another hand: clients of Gx (TS 29.212) and Gy (TS 32.299) on python-diameter.

    python foreign_pcef.py gx --port 3868 --imsi 001010000000001 --msisdn 861440000000001 --apn iot

asks, prints the answer as JSON, and ends the session.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import sys
from typing import TYPE_CHECKING, Any

from foreign_credit import REALM, UNKNOWN_SESSION
from foreign_diameter import CCR, PATIENCE, RAR, Client, Link, Received, Tree
from foreign_ocs import GY
from foreign_pcrf import GX

if TYPE_CHECKING:
    from collections.abc import Iterable

INITIAL, UPDATE, TERMINATION = 1, 2, 3
#: Termination-Cause of a session that the user's side ended (RFC 6733 8.15), Result-Codes of a Re-Auth-Answer
LOGOUT, SUCCESS, LIMITED_SUCCESS = 1, 2001, 2002
EUTRAN, EPS_3GPP = 1004, 5
#: 3GPP-User-Location-Info (TS 29.061 16.4.7.2): TAI and ECGI of network 001-01
LOCATION = bytes([130]) + bytes.fromhex("00f1100001" + "00f11000000101")


class CreditClient(Client):
    """A client with one session. `orders` are the Re-Auth-Requests that came, `verdict` is what they are answered."""

    verdict = SUCCESS
    patience = PATIENCE

    def __init__(
        self,
        port: int,
        application: int,
        *,
        imsi: str,
        msisdn: str,
        apn: str = "iot",
        address: str = "192.0.2.7",
        name: str = "pgw",
        **where: Any,
    ) -> None:
        self.imsi, self.msisdn, self.apn, self.address = imsi, msisdn, apn, ipaddress.ip_address(address)
        self.orders: list[Received] = []
        #: AVPs that a Re-Auth-Answer has beside the usual ones
        self.report: Tree = {}
        self.session, self._number = f"{name}.{REALM};1;{imsi[-6:]}", 0
        super().__init__(port, f"{name}.{REALM}", REALM, application, **where)

    def handle(self, link: Link, request: Received) -> None:
        head = {"Session-Id": request.session, **self.origin()}
        if request.header.command_code != RAR or request.session != self.session:
            link.answer(request, {**head, "Result-Code": UNKNOWN_SESSION})
            return
        self.orders.append(request)
        link.answer(request, {**head, "Result-Code": self.verdict, **self.report})

    def request(self, kind: int, tree: Tree) -> Received:
        """Send a Credit-Control-Request and return the answer. Raises TimeoutError after `patience` seconds."""
        head = {"Session-Id": self.session, "Auth-Application-Id": self.application, **self.origin()}
        count = {"CC-Request-Type": kind, "CC-Request-Number": self._number}
        self._number += 1
        to = {
            "Destination-Realm": REALM,
            **({"Service-Context-Id": "32251@3gpp.org"} if self.application == GY else {}),
        }
        return self.link.ask(CCR, {**head, **to, **count, **tree}, patience=self.patience)

    def _user(self) -> Tree:
        """Who it is: E.164 and IMSI (RFC 8506 8.47)."""
        both = [(0, self.msisdn), (1, self.imsi)]
        return {
            "Subscription-Id": [{"Subscription-Id-Type": kind, "Subscription-Id-Data": data} for kind, data in both]
        }


class GxClient(CreditClient):
    """Asks a PCRF."""

    def __init__(self, port: int, **who: Any) -> None:
        super().__init__(port, GX, **who)

    def initial(self, *, features: Iterable[tuple[int, int]] = ((1, 0b1011),), **more: Any) -> Received:
        """Ask for rules as a session begins (TS 29.212 4.5.1). `features` are lists by their numbers (5.4.1)."""
        lists = [{"Vendor-Id": 10415, "Feature-List-ID": number, "Feature-List": bits} for number, bits in features]
        four = {"Framed-IP-Address": self.address.packed}
        six = {"Framed-IPv6-Prefix": bytes([0, 64]) + self.address.packed[:8]}
        bearer = {
            "QoS-Class-Identifier": 9,
            "Allocation-Retention-Priority": {
                "Priority-Level": 8,
                "Pre-emption-Capability": 1,
                "Pre-emption-Vulnerability": 1,
            },
        }
        session = {
            "Supported-Features": lists,
            **self._user(),
            "Network-Request-Support": 1,
            **(four if self.address.version == 4 else six),
            "IP-CAN-Type": EPS_3GPP,
            "RAT-Type": EUTRAN,
            "Default-EPS-Bearer-QoS": bearer,
            "AN-GW-Address": "198.51.100.9",
            "3GPP-SGSN-MCC-MNC": "00101",
            "3GPP-User-Location-Info": LOCATION,
            "3GPP-MS-TimeZone": bytes([0x80, 0]),
            "Called-Station-Id": self.apn,
        }
        return self.request(INITIAL, {**session, **more})

    def update(self, *triggers: int, **more: Any) -> Received:
        """Tell of events (5.3.7)."""
        return self.request(UPDATE, {**({"Event-Trigger": list(triggers)} if triggers else {}), **more})

    def reported(self, name: str, failure: int) -> Received:
        """Tell that a rule could not be installed (4.5.12)."""
        report = {"Charging-Rule-Name": name, "PCC-Rule-Status": 1, "Rule-Failure-Code": failure}
        return self.request(UPDATE, {"Charging-Rule-Report": report})

    def terminate(self) -> Received:
        """End the session (4.5.7)."""
        return self.request(TERMINATION, {"Termination-Cause": LOGOUT})


class GyClient(CreditClient):
    """Asks an OCS. A Re-Auth-Request is answered by 2002: a request follows (RFC 8506 5.5)."""

    verdict = LIMITED_SUCCESS

    def __init__(self, port: int, **who: Any) -> None:
        super().__init__(port, GY, **who)

    def _session(self) -> Tree:
        session = {
            "3GPP-Charging-Id": (7).to_bytes(4),
            "PDP-Address": str(self.address),
            "GGSN-Address": "198.51.100.10",
            "Called-Station-Id": self.apn,
            "3GPP-SGSN-MCC-MNC": "00101",
            "3GPP-User-Location-Info": LOCATION,
            "3GPP-MS-TimeZone": bytes([0x80, 0]),
            "3GPP-RAT-Type": bytes([6]),
        }
        return {**self._user(), "Service-Information": {"PS-Information": session}}

    def initial(self, *groups: int, **more: Any) -> Received:
        """Ask for units as a session begins (TS 32.299 6.3.8)."""
        services = [{"Requested-Service-Unit": {}, "Rating-Group": group} for group in groups]
        first = {"Multiple-Services-Indicator": 1, **({"Multiple-Services-Credit-Control": services} if groups else {})}
        return self.request(INITIAL, {**first, **self._session(), **more})

    def update(self, used: dict[int, int], reason: int, *, more_of: Iterable[int] | None = None) -> Received:
        """Tell what was used, by rating group, and why; ask for more of these groups or of those that are named."""
        wanted = set(used if more_of is None else more_of)
        services = [self._service(group, used.get(group), reason, wanted) for group in sorted({*used, *wanted})]
        return self.request(UPDATE, {"Multiple-Services-Credit-Control": services, **self._session()})

    def terminate(self, used: dict[int, int]) -> Received:
        """End the session, and tell what was used (reason FINAL)."""
        services = [self._service(group, count, 2, set()) for group, count in used.items()]
        told = {"Multiple-Services-Credit-Control": services} if services else {}
        return self.request(TERMINATION, {"Termination-Cause": LOGOUT, **told, **self._session()})

    @staticmethod
    def _service(group: int, used: int | None, reason: int, wanted: set[int]) -> Tree:
        asked: Tree = {"Requested-Service-Unit": {}} if group in wanted else {}
        told: Tree = {}
        if used is not None:
            told = {"Used-Service-Unit": {"CC-Total-Octets": used}, "3GPP-Reporting-Reason": reason}
        return {**asked, **told, "Rating-Group": group}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("interface", choices=["gx", "gy"])
    parser.add_argument("--port", type=int, required=True)
    for name in ("imsi", "msisdn"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--apn", default="iot")
    parser.add_argument("--rating-group", type=int, default=10)
    given = parser.parse_args()
    who = {"imsi": given.imsi, "msisdn": given.msisdn, "apn": given.apn}
    client: GxClient | GyClient
    if given.interface == "gx":
        client = GxClient(given.port, **who)
        answer = client.initial()
        client.terminate()
    else:
        client = GyClient(given.port, **who)
        answer = client.initial(given.rating_group)
        client.terminate({})
    sys.stdout.write(json.dumps(answer.avps, default=repr, indent=1) + "\n")
    client.close()


if __name__ == "__main__":
    main()
