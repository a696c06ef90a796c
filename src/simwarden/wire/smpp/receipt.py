"""Delivery receipts in the form that all platforms know (SMPP 3.4 Appendix B), and the times of SMPP (7.1.1)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from simwarden.errors import PeerError
from simwarden.wire.smpp.enums import MessageState

_WORDS: Final = {
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
}
STATES: Final = {word: state for state, word in _WORDS.items()}
"""What became of a message, by the word that receipts have for it (`DELIVRD`)."""
_FIELD: Final = re.compile(r"(id|sub|dlvrd|submit date|done date|stat|err):(\S*)", re.IGNORECASE)
_TEXT: Final = re.compile(r"\btext:(.*)", re.IGNORECASE | re.DOTALL)
#: octets of the text that a receipt repeats
_REPEATED: Final = 20


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message; `error` is a code of the network's own, three digits."""

    message_id: str
    submitted: dt.datetime
    done: dt.datetime
    state: MessageState
    error: str = "000"
    text: str = ""
    delivered: bool = False

    @property
    def word(self) -> str:
        """What became of it as receipts have it (`DELIVRD`)."""
        return _WORDS[self.state]

    def __str__(self) -> str:
        dates = f"submit date:{self.submitted:%y%m%d%H%M} done date:{self.done:%y%m%d%H%M}"
        count = f"sub:001 dlvrd:{int(self.delivered):03}"
        state = f"stat:{self.word} err:{self.error}"
        return f"id:{self.message_id} {count} {dates} {state} text:{self.text[:_REPEATED]}"


def parse_receipt(text: str) -> Receipt:
    """Read a receipt, as leniently as its form is kept by others. Raises PeerError."""
    text_at = _TEXT.search(text)
    found = {name.lower(): value for name, value in _FIELD.findall(text[: text_at.start()] if text_at else text)}
    state = STATES.get(found.get("stat", "").upper())
    if not found.get("id") or state is None:
        raise PeerError("a delivery receipt without id or stat")
    return Receipt(
        found["id"],
        _date(found.get("submit date", "")),
        _date(found.get("done date", "")),
        state,
        found.get("err", ""),
        text_at[1] if text_at else "",
        found.get("dlvrd", "").strip("0") != "",
    )


def _date(text: str) -> dt.datetime:
    """Read `YYMMDDhhmm`, with or without seconds. Raises PeerError."""
    try:
        return dt.datetime.strptime(text, "%y%m%d%H%M%S" if len(text) == 12 else "%y%m%d%H%M").replace(tzinfo=dt.UTC)
    except ValueError:
        raise PeerError(f"{text!r} is no date of a delivery receipt") from None


_TIME: Final = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])", re.ASCII)


def parse_time(text: str, now: dt.datetime) -> dt.datetime | None:
    """Return the time that schedule_delivery_time or validity_period says, seen from `now`; None for none given.

    A year of a relative time has 365 days, a month 30. Raises ValueError for what is no time.
    """
    if not text:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time of SMPP: YYMMDDhhmmsstnnp has 16 characters")
    years, months, days, hours, minutes, seconds, tenths, quarters = map(int, match.groups()[:-1])
    if match[9] == "R":
        days += years * 365 + months * 30
        return now + dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    offset = dt.timedelta(minutes=15 * quarters) * (-1 if match[9] == "-" else 1)
    zone = dt.timezone(offset)
    return dt.datetime(2000 + years, months, days, hours, minutes, seconds, tenths * 100_000, zone)


def format_time(when: dt.datetime) -> str:
    """Return a time in the absolute form, in UTC."""
    return f"{when.astimezone(dt.UTC):%y%m%d%H%M%S}{when.microsecond // 100_000}00+"
