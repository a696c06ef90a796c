"""Numbers of TCAP (Q.773)."""

from __future__ import annotations

from enum import IntEnum


class MessageType(IntEnum):
    """Tags of messages (Q.773 table 8). Unidirectional ones are in no context of CAP or MAP, and not here."""

    BEGIN = 0x62
    END = 0x64
    CONTINUE = 0x65
    ABORT = 0x67


class AbortCause(IntEnum):
    """Why a transaction is aborted by the provider (P-Abort cause, Q.773 table 17)."""

    UNRECOGNIZED_MESSAGE_TYPE = 0
    UNRECOGNIZED_TRANSACTION_ID = 1
    BADLY_FORMATTED_TRANSACTION_PORTION = 2
    INCORRECT_TRANSACTION_PORTION = 3
    RESOURCE_LIMITATION = 4


class AbortSource(IntEnum):
    """Who aborts a dialogue (ABRT, Q.773 3.2)."""

    USER = 0
    PROVIDER = 1


class Diagnostic(IntEnum):
    """What an AARE says beside its result: of the user, and from 16 of the provider (less 16 on the wire)."""

    USER_NULL = 0
    USER_NO_REASON_GIVEN = 1
    USER_CONTEXT_NAME_NOT_SUPPORTED = 2
    PROVIDER_NULL = 16
    PROVIDER_NO_REASON_GIVEN = 17
    PROVIDER_NO_COMMON_DIALOGUE_PORTION = 18


class ProblemKind(IntEnum):
    """Tags of problems: what was wrong with (Q.773 table 27)."""

    GENERAL = 0x80
    INVOKE = 0x81
    RETURN_RESULT = 0x82
    RETURN_ERROR = 0x83


class GeneralProblem(IntEnum):
    """Problems with components of no type (Q.773 table 28)."""

    UNRECOGNIZED_COMPONENT = 0
    MISTYPED_COMPONENT = 1
    BADLY_STRUCTURED_COMPONENT = 2


class InvokeProblem(IntEnum):
    """Problems with an invoke (Q.773 table 29)."""

    DUPLICATE_INVOKE_ID = 0
    UNRECOGNIZED_OPERATION = 1
    MISTYPED_PARAMETER = 2
    RESOURCE_LIMITATION = 3
    INITIATING_RELEASE = 4
    UNRECOGNIZED_LINKED_ID = 5
    LINKED_RESPONSE_UNEXPECTED = 6
    UNEXPECTED_LINKED_OPERATION = 7


class ReturnResultProblem(IntEnum):
    """Problems with a result (Q.773 table 30)."""

    UNRECOGNIZED_INVOKE_ID = 0
    RETURN_RESULT_UNEXPECTED = 1
    MISTYPED_PARAMETER = 2


class ReturnErrorProblem(IntEnum):
    """Problems with an error (Q.773 table 31)."""

    UNRECOGNIZED_INVOKE_ID = 0
    RETURN_ERROR_UNEXPECTED = 1
    UNRECOGNIZED_ERROR = 2
    UNEXPECTED_ERROR = 3
    MISTYPED_PARAMETER = 4


PROBLEMS: dict[ProblemKind, type[IntEnum]] = {
    ProblemKind.GENERAL: GeneralProblem,
    ProblemKind.INVOKE: InvokeProblem,
    ProblemKind.RETURN_RESULT: ReturnResultProblem,
    ProblemKind.RETURN_ERROR: ReturnErrorProblem,
}
