"""Status words of a UICC: TS 102.221 10.2.1, TS 31.102 7.3.1 and ISO/IEC 7816-4 5.6."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class StatusWord(IntEnum):
    """A status word that says what it means; families with a count in them (61 XX, 91 XX, 63 CX...) are functions."""

    text: str

    def __new__(cls, value: int, text: str) -> Self:
        """Attach the specification's words to the number."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    NORMAL_ENDING = 0x9000, "Normal ending of the command"
    BUSY = 0x9300, "Toolkit is busy; command cannot be executed at present"
    NO_INFORMATION_CHANGED = 0x6200, "No information given, state of non-volatile memory unchanged"
    CORRUPTED_DATA = 0x6281, "Part of returned data may be corrupted"
    END_OF_FILE = 0x6282, "End of file or record reached before reading Le bytes, or search pattern not found"
    SELECTED_FILE_INVALIDATED = 0x6283, "Selected file invalidated"
    MORE_DATA_EXPECTED = 0x63F1, "More data expected"
    VERIFICATION_FAILED = 0x6300, "Verification failed, no information on retries"
    MEMORY_PROBLEM = 0x6581, "Memory problem"
    WRONG_LENGTH = 0x6700, "Wrong length"
    CLASS_FUNCTION_NOT_SUPPORTED = 0x6800, "Functions in CLA not supported"
    LOGICAL_CHANNEL_NOT_SUPPORTED = 0x6881, "Logical channel not supported"
    SECURE_MESSAGING_NOT_SUPPORTED = 0x6882, "Secure messaging not supported"
    COMMAND_NOT_ALLOWED = 0x6900, "Command not allowed"
    INCOMPATIBLE_WITH_FILE_STRUCTURE = 0x6981, "Command incompatible with file structure"
    SECURITY_STATUS_NOT_SATISFIED = 0x6982, "Security status not satisfied"
    AUTHENTICATION_METHOD_BLOCKED = 0x6983, "Authentication/PIN method blocked"
    REFERENCED_DATA_INVALIDATED = 0x6984, "Referenced data invalidated"
    CONDITIONS_OF_USE_NOT_SATISFIED = 0x6985, "Conditions of use not satisfied"
    NO_EF_SELECTED = 0x6986, "Command not allowed, no EF selected"
    INCORRECT_DATA = 0x6A80, "Incorrect parameters in the data field"
    FUNCTION_NOT_SUPPORTED = 0x6A81, "Function not supported"
    FILE_NOT_FOUND = 0x6A82, "File not found"
    RECORD_NOT_FOUND = 0x6A83, "Record not found"
    NOT_ENOUGH_MEMORY = 0x6A84, "Not enough memory space"
    INCORRECT_P1_P2 = 0x6A86, "Incorrect parameters P1 to P2"
    LC_INCONSISTENT_WITH_P1_P2 = 0x6A87, "Lc inconsistent with P1 to P2"
    REFERENCED_DATA_NOT_FOUND = 0x6A88, "Referenced data not found"
    WRONG_P1_P2 = 0x6B00, "Wrong parameter(s) P1-P2"
    INSTRUCTION_NOT_SUPPORTED = 0x6D00, "Instruction code not supported or invalid"
    CLASS_NOT_SUPPORTED = 0x6E00, "Class not supported"
    TECHNICAL_PROBLEM = 0x6F00, "Technical problem, no precise diagnosis"
    MAX_VALUE_REACHED = 0x9850, "INCREASE cannot be performed, max value reached"
    AUTHENTICATION_ERROR_MAC = 0x9862, "Authentication error, incorrect MAC"
    SECURITY_CONTEXT_NOT_SUPPORTED = 0x9864, "Authentication error, security context not supported"
    KEY_FRESHNESS_FAILURE = 0x9865, "Key freshness failure"


_TEXTS = {int(member): member.text for member in StatusWord}
_FAMILIES = {
    0x61: "Normal ending, {0} bytes can be fetched by GET RESPONSE",
    0x6C: "Wrong length Le, the exact length is {0}",
    0x91: "Normal ending, a proactive command of {0} bytes waits for FETCH",
    0x92: "Normal ending, data transfer session in progress",
    0x9F: "Normal ending, {0} bytes can be fetched by GET RESPONSE",
}


def bytes_available(count: int) -> int:
    """61 XX: `count` bytes of response wait (256 is written as 00)."""
    return 0x6100 | (count & 0xFF)


def exact_length(count: int) -> int:
    """6C XX: the command is to be sent again with this Le (256 is written as 00)."""
    return 0x6C00 | (count & 0xFF)


def proactive_command(count: int) -> int:
    """91 XX: a proactive command of `count` bytes waits (256 is written as 00)."""
    return 0x9100 | (count & 0xFF)


def retries_left(count: int) -> int:
    """63 CX: verification failed, `count` tries remain."""
    return 0x63C0 | (count & 0x0F)


def retries_of(sw: int) -> int | None:
    """Return the tries that a 63 CX leaves, None for every other status word."""
    return sw & 0x0F if sw & 0xFFF0 == 0x63C0 else None


def is_normal(sw: int) -> bool:
    """Tell whether the command ended well: 90 00, 91 XX, 92 XX, 61 XX (TS 102.221 10.2.1.1)."""
    return sw == StatusWord.NORMAL_ENDING or sw >> 8 in (0x61, 0x91, 0x92, 0x9F)


def explain(sw: int) -> str:
    """Return what a status word says, in the words of TS 102.221."""
    if sw in _TEXTS:
        return _TEXTS[sw]
    tries = retries_of(sw)
    if tries is not None:
        return f"Verification failed, {tries} tries left"
    family = _FAMILIES.get(sw >> 8)
    return family.format((sw & 0xFF) or 256) if family else f"Status word {sw:04X}, not in TS 102.221"


def is_word(text: str) -> bool:
    """Tell whether a text is a status word that TS 102.221 has, in hexadecimal digits."""
    try:
        return len(text) == 4 and "not in TS" not in explain(int(text, 16))
    except ValueError:
        return False


def is_text(text: str) -> bool:
    """Tell whether a text is what `explain` says of some status word."""
    said = text.lower()
    return said in {each.lower() for each in _TEXTS.values()} or any(
        explain(head << 8 | count).lower() == said for head in (*_FAMILIES, 0x63) for count in range(256)
    )
