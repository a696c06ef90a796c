"""Settings of the outside world of calls. `profile.yaml` explains each with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from simwarden.policy.numbers import party
from simwarden.runtime.declare import ElementConfig, Model, Seconds


def _is_number(text: str) -> str:
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise ValueError(f"{text!r} is no telephone number")
    return text


Number = Annotated[str, AfterValidator(_is_number)]


class Phone(Model):
    """A telephone: its number, and what it does when it is called."""

    number: Number
    """Its number (`+8613800001111`, `110`)."""
    when_called: Literal["answer", "ring", "no-answer", "busy", "refuse"] = "answer"
    """What it does: answer after a while, ring until a step answers it, ring until the network gives up (Q.850 19), be
    busy (17), or refuse."""
    after: Seconds = 2.0
    """How long it rings before it is answered."""
    gives_up: Annotated[Seconds, Field(gt=0)] = 60
    """How long it rings without an answer until the network gives up."""
    talks: Seconds = 0.0
    """How long it talks before it hangs up; 0: the other side does."""
    cause: Annotated[int, Field(ge=1, le=127)] = 21
    """The cause by which it refuses (Q.850)."""
    digits: Literal["accept", "reject"] = "accept"
    """Accept the DTMF digits of a call (SIP INFO), or answer them with 415."""


def _phones() -> dict[str, Phone]:
    return {"alice": Phone(number="+8613800001111"), "bob": Phone(number="+8613800002222")}


class PstnConfig(ElementConfig):
    """Settings of the outside world of calls."""

    trunk: str = "ssp"
    """The element to which calls for the home network's numbers go, a GMSC."""
    phones: dict[str, Phone] = Field(default_factory=_phones)
    """Its telephones, by names of which steps and expectations speak. A call to another number is refused (Q.850 1)."""

    @field_validator("phones")
    @classmethod
    def _are_different(cls, value: dict[str, Phone]) -> dict[str, Phone]:
        if len({party(each.number) for each in value.values()}) < len(value):
            raise ValueError("two phones have the same number")
        return value
