"""What an MME knows of a card, its sessions and its connection, and what follows from that."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.mme.contexts import (
    ApnConfiguration,
    Bearer,
    Connection,
    Dedicated,
    EmmState,
    Subscription,
    Terminal,
    UeContext,
)
from simwarden.model.identity import Ecgi, Imei, Plmn, Tai
from simwarden.testing.diameter import IMSI
from simwarden.testing.radio import CAPABILITY
from simwarden.wire.gtpv2 import Paa, PdnType

PLMN = Plmn("001", "01")
TAI, CELL = Tai(PLMN, 1), Ecgi(PLMN, 1 << 8 | 1)
UNUSED: Any = None
TERMINAL = Terminal(Imei("35698765000001", "01"), sv_known=True)


def _bearer(identity: int = 5, paa: Paa | None = None) -> Bearer:
    return Bearer(identity, "meters", ApnConfiguration("meters"), paa or Paa(PdnType.IPV4, "192.0.2.1"), *[UNUSED] * 3)


def _context(**fields: Any) -> UeContext:
    return UeContext(IMSI, TAI, CELL, CAPABILITY, **fields)


def _connection(ue: UeContext | None = None) -> Connection:
    return Connection(UNUSED, 1, 1, TAI, CELL, ue)


def test_the_software_version_of_a_terminal_is_told_where_it_is_known() -> None:
    assert TERMINAL.imeisv == "3569876500000101"
    assert Terminal(TERMINAL.imei, sv_known=False).imeisv == ""


def test_an_apn_is_found_by_its_name_else_the_wildcard_is_and_the_default_by_its_context() -> None:
    named, other, wildcard = (ApnConfiguration(name) for name in ("Meters", "service", "*"))
    data = Subscription(default_context=2, apns={1: other, 2: named})
    assert [data.find(name) for name in ("METERS", "service", "third")] == [named, other, None]
    assert data.default_apn is named
    data.apns = {3: wildcard, **data.apns}
    assert [data.find(name) for name in ("meters", "third")] == [named, wildcard]


@pytest.mark.parametrize(
    ("paa", "address"),
    [
        (Paa(PdnType.IPV4, "192.0.2.1"), "192.0.2.1"),
        (Paa(PdnType.IPV6, "", "2001:db8::1"), "2001:db8::1"),
        (Paa(PdnType.IPV4V6, "192.0.2.1", "2001:db8::1"), "192.0.2.1"),
    ],
)
def test_a_session_is_told_by_its_ipv4_address_else_by_that_of_ipv6(paa: Paa, address: str) -> None:
    assert _bearer(paa=paa).address == address


def test_what_the_hss_does_not_tell_restricts_nobody() -> None:
    assert (_context().zones, _context().barred) == (frozenset(), False)
    told = _context(subscription=Subscription(zones=frozenset({"0007"}), barred=True))
    assert (told.zones, told.barred) == ({"0007"}, True)
    assert not _context(subscription=Subscription()).barred


def test_the_bearers_of_a_device_are_those_of_all_its_connections_to_pdns() -> None:
    ue, first, second = _context(), _bearer(), _bearer(7)
    assert (ue.bearer, ue.all_bearers, ue.reported) == (None, {}, False)
    beside = first.dedicated[6] = Dedicated(first, 6, *[UNUSED] * 4)
    ue.bearers = {5: first, 7: second}
    assert ue.bearer is first
    assert list(ue.all_bearers.items()) == [(5, first), (6, beside), (7, second)]
    assert not ue.reported
    second.reported = True
    assert ue.reported


def test_an_unproven_card_is_known_by_its_terminal() -> None:
    assert _context().key == IMSI
    claimed = _context(proven=False, claimed_imei="356987650000019")
    assert claimed.key == "imei-356987650000019"
    claimed.terminal = Terminal(Imei("86123400000002"), sv_known=False)
    assert claimed.key == f"imei-{claimed.terminal.imei.imei}"


def test_a_device_is_in_service_once_it_is_registered_or_attaches() -> None:
    ue = _context()
    assert not ue.in_service
    ue.connection = _connection(ue)
    assert not ue.in_service
    ue.connection.attach_request = b"request"
    assert ue.in_service
    ue.state, ue.connection = EmmState.REGISTERED, None
    assert ue.in_service


@pytest.mark.parametrize("is_connected", [True, False])
def test_what_is_told_of_a_registration(*, is_connected: bool) -> None:
    ue = _context(terminal=TERMINAL if is_connected else None, bearers={5: _bearer()})
    ue.connection = _connection(ue) if is_connected else None
    told = ue.tell()
    assert (told["imei"], told["imeisv"], told["state"]) == (
        (TERMINAL.imei.imei, TERMINAL.imeisv, "connected") if is_connected else ("", "", "idle")
    )
    assert (told["apn"], told["address"], told["cell"]) == ("meters", "192.0.2.1", "001-01-0000101")


def test_a_connection_serves_the_device_whose_connection_it_is() -> None:
    ue = _context()
    nobody, former, now = _connection(), _connection(ue), _connection(ue)
    ue.connection = now
    assert [each.served for each in (nobody, former, now)] == [None, None, ue]
    assert [each.imsi for each in (nobody, former, now)] == ["", IMSI, IMSI]
    assert now.stream == 1, "any but 0 (TS 36.412 7)"
