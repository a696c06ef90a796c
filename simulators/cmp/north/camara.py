"""Bind, unbind and query of CAMARA IoT SIM Fraud Prevention, over the platform.

The API's requests name a device and a kind and nothing else: IMEIBIND binds to the terminal that the card is in, or if
its customer has not used it yet to that of its next use; AREALIMIT restricts it to the area agreed upon for the
customer's account.
Neither takes the place of what is held: a binding stays unless the card was served in another terminal since, an area
until it is unbound.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simulators.cmp import controls
from simulators.cmp.north.errors import (
    ApiError,
    denied,
    invalid,
    missing_identifier,
    no_device,
    quota,
    too_many,
    unnecessary_identifier,
    unsupported_identifier,
)
from simulators.cmp.north.model import Bind, Device, Query, Unbind, read
from simulators.cmp.procedures import binding
from simwarden.errors import ManagementError
from simwarden.model.identity import Imei, is_assigned
from simwarden.operations.approval import By

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.cmp.card import Card
    from simulators.cmp.north.config import AgreedArea, Client, NorthConfig
    from simulators.cmp.platform import Platform

#: an IMSI as the root of a network access identifier (TS 23.003 14.2 and 19.3.2)
_IMSI_AT = re.compile(r"[0-9]?([0-9]{15})@(?:[a-z]+\.)*mnc[0-9]{3}\.mcc[0-9]{3}\.3gppnetwork\.org", re.ASCII)


def written(imei: str) -> str:
    """Return an IMEI of 14 digits as the API writes it: `35-209900-176148-1`."""
    digits = Imei(imei).imei
    return f"{digits[:2]}-{digits[2:8]}-{digits[8:14]}-{digits[14]}"


def refused(error: ManagementError) -> ApiError:
    """Return the API's error for what the platform refuses."""
    return {429: quota(), 423: too_many(), 404: no_device()}.get(error.status, denied())


class Prevention:
    """The three operations. Each takes the client and the body, and returns the answer's body. Raises ApiError."""

    def __init__(self, platform: Platform, config: NorthConfig) -> None:
        self._platform, self._config = platform, config

    async def bind(self, name: str, client: Client, body: Any) -> dict[str, Any]:
        """`POST /bind`: `bound` is false where there is nothing to bind to."""
        wanted = read(Bind, body)
        by = by_of(name, client)
        card = self.identify(client, by, wanted.device)
        self._may(card, by, "bind")
        if wanted.bindType == "AREALIMIT":
            return {"bound": await self._restrict(card, by)}
        if not _is_held(card):
            try:
                await binding.bind(self._platform, card, by, imei=_bindable(card.own_terminal))
            except ManagementError as error:
                raise refused(error) from error
        return {"bound": True}

    async def unbind(self, name: str, client: Client, body: Any) -> dict[str, Any]:
        """`POST /unbind`."""
        wanted = read(Unbind, body)
        by = by_of(name, client)
        card = self.identify(client, by, wanted.device)
        self._may(card, by, "unbind")
        if wanted.unBindType == "AREALIMIT":
            if not await self._is_restricted(card):
                raise ApiError(422, "UNNECESSARY_UNBIND_AREALIMIT", "The current device area limit has been unbound")
            self._approved(card, by, "unbind")
            return {"unbound": await self._area(card, "DELETE", by.approval) is not None}
        if not card.mode:
            raise ApiError(422, "UNNECESSARY_UNBIND_IMEI", "The current device imei has been unbound")
        try:
            await binding.unbind(self._platform, card, by)
        except ManagementError as error:
            raise refused(error) from error
        return {"unbound": True}

    async def query(self, name: str, client: Client, body: Any) -> dict[str, Any]:
        """`POST /query`: a card that waits for its first use is not bound yet."""
        wanted = read(Query, body)
        card = self.identify(client, by_of(name, client), wanted.device)
        if wanted.queryType == "AREALIMIT":
            restricted = await self._is_restricted(card)
            told: dict[str, Any] = {"areaLimitStatus": "RESTRICTED" if restricted else "UNRESTRICTED"}
            area = self.area_of(card)
            if restricted and area is not None:
                told["limitArea"] = area
            return {"areaLimit": told}
        if not card.bound:
            return {"imeiBind": {"bindStatus": "UNBOUND"}}
        return {"imeiBind": {"bindStatus": "BOUND", "bindImei": written(card.bound)}}

    # -- who is meant

    def identify(self, client: Client, by: By, device: Device | None, *, twice: bool = False) -> Card:
        """Return the card that token or request mean. Raises ApiError (400, 404, 422).

        `twice`: the request may name a device even where the token does, if it is the same one.
        """
        if client.device:
            if device is not None and not (twice and device.phoneNumber in (None, client.device)):
                raise unnecessary_identifier()
            found = [self._platform.find(by, msisdn=client.device)]
        elif device is None:
            raise missing_identifier()
        else:
            found = self._named(device, by)
        cards = {card.imsi: card for card in found if card is not None}
        # Before they are compared: that they differ would tell that a card of somebody else exists.
        if None in found:
            raise no_device()
        if len(cards) > 1:
            raise invalid("Multiple inconsistent device parameters specified")
        return next(iter(cards.values()))

    def _named(self, device: Device, by: By) -> list[Card | None]:
        found: list[Card | None] = []
        if device.phoneNumber is not None:
            found.append(self._platform.find(by, msisdn=device.phoneNumber))
        if device.networkAccessIdentifier is not None:
            match = _IMSI_AT.fullmatch(device.networkAccessIdentifier.lower())
            found.append(self._platform.find(by, imsi=match[1]) if match else None)
        if not found:
            raise unsupported_identifier()
        return found

    # -- what may be done

    def _may(self, card: Card, by: By, action: str) -> None:
        try:
            self._platform.audit.require(controls.OPERATOR, card.imsi, by, action, by.asks(action))
        except ManagementError as error:
            raise refused(error) from error

    def _approved(self, card: Card, by: By, action: str) -> None:
        try:
            self._platform.audit.require(controls.APPROVAL, card.imsi, by, action, by.approval)
        except ManagementError as error:
            raise refused(error) from error

    def area_of(self, card: Card) -> dict[str, Any] | None:
        """Return the area agreed upon for a card's account, as the API writes it."""
        area = self._config.areas.get(card.account)
        return _circle(area) if area is not None else None

    async def is_outside(self, card: Card) -> bool:
        """Whether a card was found outside its area last, by what the MME knows."""
        told = await self._area(card, "GET")
        return told is not None and told.get("outside") is True

    async def _restrict(self, card: Card, by: By) -> bool:
        """Restrict a card to the area agreed upon; False without one, or if nobody keeps cards in their areas."""
        area = self._config.areas.get(card.account)
        if area is None:
            return False
        if await self._is_restricted(card):
            return True
        self._approved(card, by, "bind")
        body = {"cells": list(area.cells), "stations": area.stations, "province": area.province, **by.approval}
        return await self._area(card, "PUT", body) is not None

    async def _is_restricted(self, card: Card) -> bool:
        told = await self._area(card, "GET")
        return told is not None and told.get("area") is not None

    async def _area(self, card: Card, method: str, body: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Call the MME; None if it has no areas or cannot be reached. Raises ApiError for an area that it refuses."""
        if self._config.mme == "off":
            return None
        try:
            told: dict[str, Any] = await self._platform.site.manage(
                self._config.mme, method, f"/cards/{card.imsi}/area", body
            )
        except ManagementError as error:
            if error.status == 429:
                raise refused(error) from error
            if error.status == 403:
                raise invalid(f"The area is larger than a card's may be: {error}", "OUT_OF_RANGE") from error
            self._platform.site.note(f"{self._config.mme} keeps no area: {error}", imsi=card.imsi)
            return None
        return told


def by_of(name: str, client: Client) -> By:
    """Return a client as somebody who does something."""
    accounts = frozenset({client.account} - {""})
    return By(client.role, name, client.approver, client.reason, client.form, accounts)


def _is_held(card: Card) -> bool:
    """Whether a card has a binding that nothing contradicts, or waits for the first use that binds it."""
    return bool(card.mode) and not (card.strayed and card.terminal != card.bound)


def _bindable(imei: str) -> str:
    """Return the IMEI to bind to; empty, so that the next use binds, for what many terminals say that have none."""
    return imei if imei and is_assigned(imei) else ""


def _circle(area: AgreedArea) -> dict[str, Any]:
    centre = {"latitude": area.latitude, "longitude": area.longitude}
    return {"areaType": "CIRCLE", "center": centre, "radius": area.radius}
