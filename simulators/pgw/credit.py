"""What an OCS has granted to a session: octets of the packets themselves, both directions, by rating group.

No more pass than are granted (TS 32.299 5.2.2). A packet that does not fit waits while more is asked for, so many at
most, in their order; it is dropped when nothing more is granted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.pgw.controls import CREDIT
from simwarden.wire.diameter.apps.gy import ReportingReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from simwarden.policy.decision import Decision
    from simwarden.runtime.clock import Clock, Timer

    #: asks the control of granted octets: on which occasion, and what the OCS said
    Judge = Callable[[str, "Grant"], Decision]

#: packets of a rating group that wait at most
MOST_WAITING: Final = 64
#: why packets are dropped
NOTHING_LEFT: Final = "no octets are granted to it"


class Grant(NamedTuple):
    """What an answer says of a rating group. `octets` 0: nothing is granted; `denied`: nothing will be for now.

    `holding` are seconds without traffic after which it is given back (Quota-Holding-Time); `triggers`, which changes
    the OCS wants to hear of (Trigger-Type), None: as before; `free`: no octets are needed.
    """

    octets: int = 0
    threshold: int = 0
    final: bool = False
    why: str = "the answer has no grant for it"
    denied: bool = False
    holding: float = 0.0
    triggers: frozenset[int] | None = None
    free: bool = False


NO_GRANT: Final = Grant()


class _Waiting(NamedTuple):
    size: int
    #: hears whether octets are granted for the packet, and returns whether it passes
    told: Callable[[bool], bool]


class Group:
    """A rating group of a session. `used` are octets that are not reported yet, `left` those that may yet pass."""

    __slots__ = (
        "asked",
        "denied",
        "ended",
        "final",
        "free",
        "holding",
        "last",
        "left",
        "out",
        "reason",
        "threshold",
        "timer",
        "triggers",
        "unreported",
        "used",
        "waiting",
    )

    def __init__(self) -> None:
        self.left = self.used = self.threshold = 0
        self.final = self.ended = self.denied = False
        #: it has ended, or given back what it had, and its last octets are to be reported
        self.unreported = False
        #: all passes: a control is switched off, or the OCS is not there and has wanted it so
        self.free = False
        #: when its last packet passed, and after how long without one it gives back what it has; 0: never
        self.last = self.holding = 0.0
        self.timer: Timer | None = None
        self.triggers: frozenset[int] = frozenset()
        #: more is to be asked for, and why; a request about it is under way
        self.asked, self.out = False, False
        self.reason = ReportingReason.QUOTA_EXHAUSTED
        self.waiting: list[_Waiting] = []  # an empty deque takes ten times as much


class Credit:
    """The rating groups of a session. `ask` has a request go out, `over` hears that the last group has ended."""

    def __init__(self, judge: Judge, ask: Callable[[], None], over: Callable[[], None], clock: Clock) -> None:
        self._judge, self._ask, self._tell_over, self._clock = judge, ask, over, clock
        #: no group has octets any more; none needs any
        self.over = self.uncharged = False
        self.groups: dict[int, Group] = {}
        self._changes: frozenset[int] = frozenset()
        #: a request is due that is not made yet: all that there is to say until then is in it
        self._due = False

    def take(self, number: int, size: int, now: float, told: Callable[[bool], bool]) -> bool | None:
        """Count a packet for a group: whether it passes, None if it waits; then `told` hears."""
        group = self.groups.get(number)
        if group is None:
            group = self.groups[number] = Group()
            group.free = self.uncharged
        group.last = now
        if group.free or group.ended:
            group.used += size if group.free else 0
            return group.free
        if not group.waiting and size <= group.left:
            self._spend(group, size)
            return True
        if group.final and not group.asked:
            self._finish(group)
            return group.free
        if len(group.waiting) >= MOST_WAITING:
            return False
        group.waiting.append(_Waiting(size, told))
        self._want(group, ReportingReason.QUOTA_EXHAUSTED)
        return None

    def _spend(self, group: Group, size: int) -> None:
        group.left -= size
        group.used += size
        if group.left < group.threshold and not group.final:
            self._want(group, ReportingReason.THRESHOLD)

    def _want(self, group: Group, reason: ReportingReason) -> None:
        if not group.asked:
            group.asked, group.reason = True, reason
            self._ask_once()

    def _ask_once(self) -> None:
        if not self._due:
            self._due = True
            self._ask()

    def begin(self, groups: Iterable[int]) -> None:
        """Have groups asked for with the first request."""
        self.groups = {each: Group() for each in groups}
        self.want_all(ReportingReason.QUOTA_EXHAUSTED)

    def want_all(self, reason: ReportingReason) -> None:
        """Have all groups that go on reported and asked for with the next request.

        Where the OCS has ordered that, those too that it has refused: it may grant them something now.
        """
        for group in self.groups.values():
            if reason is ReportingReason.FORCED_REAUTHORISATION:
                group.ended = group.denied = False
            if not group.ended:
                group.asked, group.reason = True, reason

    def follows(self, trigger: int) -> bool:
        """Whether the OCS wants to hear of a change, of some group."""
        return any(trigger in each.triggers for each in self.groups.values())

    def changed(self, triggers: frozenset[int]) -> bool:
        """Keep changes for the next request, those that the OCS wants to hear of; return whether there are any."""
        self._changes |= frozenset(each for each in triggers if self.follows(each))
        return bool(self._changes)

    def take_changes(self) -> frozenset[int]:
        """Have groups reported and asked for that changes are about, in the request that is made now; return these."""
        changes, self._changes, self._due = self._changes, frozenset(), False
        for group in self.groups.values():
            if not group.ended and group.triggers & changes:
                group.asked, group.reason = True, ReportingReason.RATING_CONDITION_CHANGE
        return changes

    def report(self, group: Group) -> int:
        """Return the octets that a request reports of a group; what passes from now on is of the next report."""
        used, group.used = group.used, 0
        group.unreported, group.out = False, group.asked
        return used

    # -- answers

    def heard(self, grants: Mapping[int, Grant], on: str = CREDIT, otherwise: Grant = NO_GRANT) -> None:
        """Take the answer to a request, group by group; one that it leaves out is granted nothing (`otherwise`).

        Of a group that it was not asked about it counts only if it is denied.
        """
        back, self.uncharged = self.uncharged, False
        for number, group in list(self.groups.items()):
            grant = grants.get(number, otherwise)
            if group.out or (grant.denied and not group.ended):
                self._granted(group, grant, on)
            elif back and group.free:  # the answer is to a request about others
                group.free, group.left = False, 0
                self._want(group, ReportingReason.QUOTA_EXHAUSTED)
        self._look()

    def _granted(self, group: Group, grant: Grant, on: str) -> None:
        group.asked = group.out = False
        if not self._admit(group, on, grant):
            return
        group.left = grant.octets - group.used  # what passed since the report is of these
        group.threshold, group.final = grant.threshold, grant.final
        group.triggers = group.triggers if grant.triggers is None else grant.triggers
        self._hold(group, grant.holding)
        self._drain(group)

    def _hold(self, group: Group, seconds: float) -> None:
        """Begin to wait for the end of traffic; a request ends that wait (TS 32.299 7.2.160)."""
        if group.timer is not None:
            group.timer.cancel()
        group.last, group.holding = self._clock.now(), seconds
        group.timer = self._clock.call_later(seconds, lambda: self._idle(group)) if seconds else None

    def _idle(self, group: Group) -> None:
        """Give a grant back that no packet has used for its holding time; the next packet asks for another."""
        group.timer = None
        if group.asked or group.free:
            return
        left = group.last + group.holding - self._clock.now()
        if left > 0:
            group.timer = self._clock.call_later(left, lambda: self._idle(group))
            return
        group.left, group.final = 0, False
        group.unreported, group.reason = True, ReportingReason.QHT
        self._ask_once()

    def _drain(self, group: Group) -> None:
        """Let packets go that waited. One that a whole grant has no room for is dropped: no other is asked for it."""
        progress = False
        while group.waiting and not group.ended:
            size, told = group.waiting[0]
            if group.free or size <= group.left:
                group.waiting.pop(0)
                progress = True
                if not told(True):
                    continue
                if group.free:
                    group.used += size
                else:
                    self._spend(group, size)
            elif group.final:
                self._finish(group)
            elif progress:
                self._want(group, ReportingReason.QUOTA_EXHAUSTED)
                return
            else:
                group.waiting.pop(0)
                told(False)

    def _finish(self, group: Group) -> None:
        """End a group whose final units are used, or too few for the next packet (RFC 8506 5.6.1)."""
        self._admit(group, CREDIT, Grant(why="the final units are used", denied=True))
        if group.ended and any(not each.ended for each in self.groups.values()):
            self._ask_once()
        self._look()

    def _admit(self, group: Group, on: str, grant: Grant) -> bool:
        """Ask the control; a group that it refuses ends, and what waits for it."""
        if self._judge(on, grant).admitted:
            group.free = not grant.octets
            if group.free:
                self._drain(group)
            return not group.free
        group.ended, group.denied, group.unreported, group.left = True, grant.denied, True, 0
        group.asked, group.reason = False, ReportingReason.FINAL
        self._hold(group, 0)
        while group.waiting:
            group.waiting.pop(0).told(False)
        return False

    def _look(self) -> None:
        if not self.over and all(each.ended for each in self.groups.values()):
            self.over = True
            self._tell_over()

    def go_on(self, why: str) -> None:
        """Have all packets pass, since the OCS has wanted that for when it is not there; a late answer ends it."""
        self.uncharged = True
        for group in self.groups.values():
            if not group.ended:
                self._admit(group, CREDIT, Grant(why=why, free=True))

    def drop(self) -> None:
        """Drop what waits: the session is over."""
        for group in self.groups.values():
            group.ended, group.asked = True, False
            self._hold(group, 0)
            while group.waiting:
                group.waiting.pop(0).told(False)

    @property
    def denied(self) -> bool:
        """Whether the OCS has said of some group that it is given nothing for now."""
        return any(each.denied for each in self.groups.values())

    @property
    def partly_asked(self) -> bool:
        """Whether the request that is under way is about some groups, and not about others."""
        return any(not each.out for each in self.groups.values())
