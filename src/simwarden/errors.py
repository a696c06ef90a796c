"""Exceptions that say whose fault it is. A refusal by a rule is never one of these: it is a Decision (see policy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class SimwardenError(Exception):
    """Base of all errors that simwarden raises on purpose."""


class PeerError(SimwardenError):
    """Bytes from outside are malformed, or break the protocol.

    `reason` says what is wrong in the protocol's own words; `code` is the protocol's own result or cause value
    for it (a Diameter Result-Code, an EMM or S1AP cause, a status word), where it has one.
    """

    def __init__(self, reason: str, *, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a user's file; line and column count from 1, 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


class UserFileError(SimwardenError):
    """A file of the user's is wrong: says where, what is wrong and, when it can be guessed, what was meant."""

    def __init__(self, reason: str, place: Place | None = None, hint: str = "") -> None:
        self.reason, self.place, self.hint = reason, place, hint
        where = f"{place}: " if place else ""
        super().__init__(f"{where}{reason}" + (f" ({hint})" if hint else ""))


class ConfigError(UserFileError):
    """A configuration (network file, element's settings, command line) is wrong or asks for what this system lacks."""


class ScenarioError(UserFileError):
    """A scenario file is wrong, or names what the network does not have."""


class UnjudgedError(UserFileError):
    """Nobody is to blame: what a file asks for cannot be judged from here."""


class NothingError(SimwardenError):
    """What was asked for chooses nothing."""


class InternalError(SimwardenError):
    """An internal error: a bug to report."""


#: HTTP statuses of errors to the code that stands beside the message: those of CAMARA's common errors, and a few more
CODES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    423: "LOCKED",
    429: "QUOTA_EXCEEDED",
    500: "INTERNAL",
    502: "BAD_GATEWAY",
    503: "UNAVAILABLE",
}


class ManagementError(SimwardenError):
    """The call is refused or makes no sense. `status` is the HTTP status; the message is for a person.

    `code` is for programs, by default that of the status. `allow` are the methods that a path has, where another was
    asked for (405). `subject` is the card that is at fault, of several. `wait` is in seconds, until the call may be
    tried again (429).
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        allow: tuple[str, ...] = (),
        subject: str = "",
        wait: int = 0,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.allow = status, code or CODES.get(status, "FAILED"), allow
        self.subject, self.wait = subject, wait

    def body(self) -> dict[str, Any]:
        """Return the error as it goes over HTTP."""
        return {"status": self.status, "code": self.code, "message": str(self)}
