"""What management interfaces say to each other of access codes for SMS: the list of their owner, in versions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, ValidatorFunctionWrapHandler, WrapValidator

from simwarden.policy.access_codes import check_code
from simwarden.runtime.declare import Model

#: an access code by its digits, one way to write each
Code = Annotated[str, AfterValidator(check_code)]


class AllocatedCode(Model):
    """Whose an access code is."""

    account: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """The account that has it."""
    ota: bool = False
    """Whether it is the operator's own, whose messages may work on the card itself."""


def _check_codes(value: Any, read: ValidatorFunctionWrapHandler) -> dict[str, AllocatedCode]:
    codes: dict[str, AllocatedCode] = read(value)
    if len(codes) < len(value):
        raise ValueError("a code is listed twice, with and without its country code")
    return codes


#: allocated codes, each listed once
AllocatedCodes = Annotated[dict[Code, AllocatedCode], WrapValidator(_check_codes)]


class CodeChange(Model):
    """One change of the list of codes."""

    code: Code
    allocated: AllocatedCode | None = None
    """Whose it is now; nothing: it is withdrawn."""


class CodeChanges(Model):
    """Body of `POST /codes`: the changes after `since`, by which the list has version `version`; none confirm it."""

    since: int = Field(ge=0)
    version: int = Field(ge=0)
    changes: tuple[CodeChange, ...] = ()


class CodeList(Model):
    """Body of `PUT /codes`: the whole list in a version."""

    version: int = Field(ge=0)
    codes: AllocatedCodes = Field(default_factory=dict)
