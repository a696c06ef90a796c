"""The gsmSRF plays announcements and collects digits (TS 29.078 11.20, 11.21). There is no media: it takes its time."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from simwarden.wire import cap

if TYPE_CHECKING:
    from collections.abc import Callable

    from simwarden.runtime.clock import Clock, Timer

_FIRST, _BETWEEN = 10, 5
"""Seconds to wait for the first digit and for each other one, where the gsmSCF does not say."""
#: codes of keys in endOfReplyDigit and cancelDigit (TS 29.078 7.1)
_KEYS: Final = "0123456789*#"
_CODES: Final = {**{number: _KEYS[number] for number in range(10)}, 0x0B: "*", 0x0C: "#"}


class Outcome(enum.Enum):
    """How it ended."""

    PLAYED = "played"
    COLLECTED = "collected"
    IMPROPER = "improper"
    """Too few digits, or none in time."""


Asked: TypeAlias = cap.PlayAnnouncement | cap.PromptAndCollectUserInformation


@dataclass(eq=False)
class Srf:
    """Special resources that are connected to one party; `done` is told how what was asked has ended, with digits."""

    clock: Clock
    announcement: float
    done: Callable[[int, Asked, Outcome, str], None]
    #: by which id the gsmSCF has asked for what is going on, 0: nothing is
    invoke_id: int = 0
    digits: str = ""
    _asked: Asked | None = None
    _timer: Timer | None = field(default=None, repr=False)

    def play(self, invoke_id: int, asked: Asked) -> None:
        """Play, and collect digits if that is asked for. What was played before has ended."""
        self._rest()
        self.invoke_id, self._asked, self.digits = invoke_id, asked, ""
        information = asked.information
        seconds = self._length(information) if information is not None else 0.0
        self._timer = self.clock.call_later(seconds, self._played)

    def _length(self, information: cap.Information) -> float:
        """Return how long it takes: a tone as it says, an announcement as often as it is repeated, at most so long."""
        if information.tone is not None:
            return information.tone.duration or self.announcement
        inband = information.inband_info
        if inband is None:
            return 0.0
        times = inband.number_of_repetitions or 1
        seconds = times * self.announcement + (times - 1) * (inband.interval or 0)
        return min(seconds, inband.duration) if inband.duration else seconds

    def stop(self) -> None:
        """Play no more."""
        self._rest()
        self.invoke_id = 0

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def digit(self, key: str) -> bool:
        """Take a key; whether somebody waits for it."""
        wanted = self._wanted
        if wanted is None or not self.invoke_id:
            return False
        if wanted.cancel_digit and key == _CODES.get(wanted.cancel_digit[0]):
            self.digits = ""
        elif wanted.end_of_reply_digit and key == _CODES.get(wanted.end_of_reply_digit[0]):
            self._collected(wanted)
            return True
        else:
            self.digits += key
        if len(self.digits) >= wanted.maximum:
            self._collected(wanted)
        else:
            self._wait(wanted, wanted.inter_digit_timeout or _BETWEEN)
        return True

    @property
    def _wanted(self) -> cap.CollectedDigits | None:
        """The digits that are asked for, None where something is played alone."""
        asked = self._asked
        return asked.collected_info.digits if isinstance(asked, cap.PromptAndCollectUserInformation) else None

    def _played(self) -> None:
        wanted = self._wanted
        if wanted is None:
            self._tell(Outcome.PLAYED)
        else:
            self._wait(wanted, wanted.first_digit_timeout or _FIRST)

    def _wait(self, wanted: cap.CollectedDigits, seconds: float) -> None:
        self._rest()
        self._timer = self.clock.call_later(seconds, partial(self._collected, wanted))

    def _collected(self, wanted: cap.CollectedDigits) -> None:
        """Tell what was dialled, if that is enough."""
        self._tell(Outcome.COLLECTED if len(self.digits) >= wanted.minimum else Outcome.IMPROPER)

    def _tell(self, outcome: Outcome) -> None:
        invoke_id, asked = self.invoke_id, self._asked
        assert asked is not None  # noqa: S101 - nothing ends before it was asked for
        self.stop()
        self.done(invoke_id, asked, outcome, self.digits)
