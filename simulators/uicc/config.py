"""Settings of a card, and what a scenario says of its binding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from simwarden.model.identity import Plmn, bindable_imei
from simwarden.operations.approval import Approval
from simwarden.runtime.declare import ElementConfig, Model
from simwarden.wire.sms import Address
from simwarden.wire.sms.address import encode_address


def _is_centre(value: str) -> str:
    digits = value.removeprefix("+")
    if value and not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise ValueError("an address has at most 20 digits, after a + if it is international")
    return value


class AppletSms(Model):
    """A message that an applet of the card has the terminal send (SEND SHORT MESSAGE).

    It does so each time that a message for the card itself (SIM data download) calls it.
    """

    to: Annotated[str, Field(max_length=20)] = ""
    """The number or code that it is for; empty: there is no such applet."""
    text: Annotated[str, Field(max_length=60)] = "called"
    """What it says."""
    service_centre: str = ""
    """The service centre that the applet names; empty: that of EFSMSP."""

    @field_validator("to")
    @classmethod
    def _fits(cls, value: str) -> str:
        if value:
            encode_address(Address.parse(value))
        return value

    @field_validator("service_centre")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _is_centre(value)


class UiccConfig(ElementConfig):
    """Settings of one card; its identities and form come with its provisioning."""

    pin: str = ""
    """PIN1, 4 to 8 digits, asked for by the card; empty: PIN1 is disabled, as IoT cards mostly have it."""
    home: str = ""
    """Home network (001-01); by default the first five digits of the IMSI."""
    provider: str = "simwarden"
    """Service provider's name, at most 16 ASCII characters (EFSPN)."""
    service_centre: str = ""
    """Address of the short message service centre (EFSMSP), with +; empty: none."""
    applet_sms: AppletSms = AppletSms()
    """What an applet on the card has the terminal send when it is called."""
    language: str = "zh"
    """Preferred language (EFLI), an ISO 639 code."""
    survives_removal: bool = False
    """Whether a soldered card that is torn out of its terminal still works."""

    @field_validator("pin")
    @classmethod
    def _is_pin(cls, value: str) -> str:
        if value and not (value.isascii() and value.isdigit() and 4 <= len(value) <= 8):
            raise ValueError("a PIN has 4 to 8 digits")
        return value

    @field_validator("home")
    @classmethod
    def _is_plmn(cls, value: str) -> str:
        return value and str(Plmn.parse(value))

    @field_validator("provider")
    @classmethod
    def _is_name(cls, value: str) -> str:
        if not value.isascii() or len(value) > 16:
            raise ValueError("a provider's name has at most 16 ASCII characters")
        return value

    @field_validator("language")
    @classmethod
    def _is_language(cls, value: str) -> str:
        if not (value.isascii() and value.isalpha() and len(value) == 2):
            raise ValueError("a language is a code of two letters (ISO 639)")
        return value.lower()

    @field_validator("service_centre")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _is_centre(value)


class CardBinding(Model):
    """Binding by the interlock of card and terminal: the card's area holds the terminal's IMEI (guideline 2.1.3(2))."""

    by: Literal["card"] = "card"
    """Who holds the binding: the card itself."""
    imei: str
    """The IMEI to be bound: 14 to 16 digits, or a terminal's (`meter.imei`)."""
    applet: bool = False
    """Whether the card asks the terminal who it is and refuses to authenticate elsewhere (bind.card.applet)."""
    fail_open: bool = False
    """Whether the applet serves a terminal that gives no IMEI."""

    @field_validator("imei")
    @classmethod
    def _is_imei(cls, value: str) -> str:
        return bindable_imei(value)


class CardBindingChange(Approval, CardBinding):
    """Body of `PUT /cards/{imsi}/binding`."""
