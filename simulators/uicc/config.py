"""Settings of a card, and what a scenario says of its binding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from simwarden.model.identity import Plmn, bindable_imei
from simwarden.operations.approval import Approval
from simwarden.runtime.declare import ElementConfig, Model
from simwarden.wire.sms import Address
from simwarden.wire.sms.address import encode_address


def _check_centre(value: str) -> str:
    digits = value.removeprefix("+")
    if value and not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise ValueError("an address has at most 20 digits, after a + if it is international")
    return value


def _check_destination(value: str) -> str:
    if value:
        encode_address(Address.parse(value))
    return value


def _check_pin(value: str) -> str:
    if value and not (value.isascii() and value.isdigit() and 4 <= len(value) <= 8):
        raise ValueError("a PIN has 4 to 8 digits")
    return value


def _check_provider(value: str) -> str:
    if not value.isascii() or len(value) > 16:
        raise ValueError("a provider's name has at most 16 ASCII characters")
    return value


def _as_language(value: str) -> str:
    if not (value.isascii() and value.isalpha() and len(value) == 2):
        raise ValueError("a language is a code of two letters (ISO 639)")
    return value.lower()


CentreAddress = Annotated[str, AfterValidator(_check_centre)]


class AppletSms(Model):
    """A message that an applet of the card has the terminal send (SEND SHORT MESSAGE).

    It does so each time that a message for the card itself (SIM data download) calls it.
    """

    to: Annotated[str, Field(max_length=20), AfterValidator(_check_destination)] = ""
    """The number or code that it is for; empty: there is no such applet."""
    text: Annotated[str, Field(max_length=60)] = "called"
    """What it says."""
    service_centre: CentreAddress = ""
    """The service centre that the applet names; empty: that of EFSMSP."""


class UiccConfig(ElementConfig):
    """Settings of one card; its identities and form come with its provisioning."""

    pin: Annotated[str, AfterValidator(_check_pin)] = ""
    """PIN1, 4 to 8 digits, asked for by the card; empty: PIN1 is disabled, as IoT cards mostly have it."""
    home: Annotated[str, AfterValidator(lambda value: value and str(Plmn.parse(value)))] = ""
    """Home network (001-01); by default the first five digits of the IMSI."""
    provider: Annotated[str, AfterValidator(_check_provider)] = "simwarden"
    """Service provider's name, at most 16 ASCII characters (EFSPN)."""
    service_centre: CentreAddress = ""
    """Address of the short message service centre (EFSMSP), with +; empty: none."""
    applet_sms: AppletSms = AppletSms()
    """What an applet on the card has the terminal send when it is called."""
    language: Annotated[str, AfterValidator(_as_language)] = "zh"
    """Preferred language (EFLI), an ISO 639 code."""
    survives_removal: bool = False
    """Whether a soldered card that is torn out of its terminal still works."""


class CardBinding(Model):
    """Binding by the interlock of card and terminal: the card's area holds the terminal's IMEI (guideline 2.1.3(2))."""

    by: Literal["card"] = "card"
    """Who holds the binding: the card itself."""
    imei: Annotated[str, AfterValidator(bindable_imei)]
    """The IMEI to be bound: 14 to 16 digits, or a terminal's (`meter.imei`)."""
    applet: bool = False
    """Whether the card asks the terminal who it is and refuses to authenticate elsewhere (bind.card.applet)."""
    fail_open: bool = False
    """Whether the applet serves a terminal that gives no IMEI."""


class CardBindingChange(Approval, CardBinding):
    """Body of `PUT /cards/{imsi}/binding`."""
