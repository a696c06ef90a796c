"""What an OCS has granted to a session: octets of the packets themselves, both directions, by rating group.

No more pass than are granted (TS 32.299 5.2.2). A packet that does not fit waits while more is asked for, so many at
most, in their order; it is dropped when nothing more is granted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, Protocol, TypeVar

from simulators.pgw.controls import CREDIT
from simwarden.wire.diameter.apps.gy import ReportingReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from simwarden.policy.decision import Decision
    from simwarden.runtime.clock import Clock, Timer

#: a session
S_contra = TypeVar("S_contra", contravariant=True)
#: packets of a rating group that wait at most
MOST_WAITING: Final = 64
#: why packets are dropped
NOTHING_LEFT: Final = "no octets are granted to it"


class Grant(NamedTuple):
    """What an answer says of a rating group. `octets` and `seconds` 0: nothing is granted; `denied`: not for now.

    `uplink` and `downlink` are octets of one direction, where an OCS grants them so (RFC 8506 8.24, 8.25); None: no
    limit beside `octets`. `seconds` of traffic end a grant as its octets do, whichever are used up first. `holding`
    are seconds without traffic after which it is given back (Quota-Holding-Time); `triggers`, which changes the OCS
    wants to hear of (Trigger-Type), None: as before; `free`: no octets are needed; `exempt`: nor will be (4011).
    """

    octets: int = 0
    threshold: int = 0
    final: bool = False
    why: str = "the answer has no grant for it"
    denied: bool = False
    holding: float = 0.0
    triggers: frozenset[int] | None = None
    free: bool = False
    total: int | None = None
    uplink: int | None = None
    downlink: int | None = None
    seconds: int = 0
    exempt: bool = False

    @property
    def units(self) -> int:
        """The octets that are granted, or the seconds where none are."""
        return self.octets or self.seconds


NO_GRANT: Final = Grant()
#: one empty set for all sessions: each frozenset() is another
NO_TRIGGERS: Final[frozenset[int]] = frozenset()


class Used(NamedTuple):
    """What was used of a group since the last report: octets, and seconds where its grant has some (else None).

    `directed`: its grant says octets of one direction, and so must the report.
    """

    uplink: int
    downlink: int
    seconds: int | None
    directed: bool


class _Waiting(NamedTuple):
    size: int
    up: bool
    #: hears whether octets are granted for the packet, and returns whether it passes
    told: Callable[[bool], bool]


@dataclass(slots=True, eq=False, repr=False)
class Group:
    """A rating group of a session."""

    #: octets that may yet pass: of both directions together, from the device, to it
    left: list[float] = field(default_factory=lambda: [0, 0, 0])
    #: octets of each direction that are not reported yet
    used: list[int] = field(default_factory=lambda: [0, 0])
    threshold: int = 0
    final: bool = False
    ended: bool = False
    denied: bool = False
    exempt: bool = False
    #: the last grant; when its first packet passed, and what ends it by time (CC-Time)
    grant: Grant | None = None
    begun: float | None = None
    clock: Timer | None = None
    #: it has ended, or given back what it had, and its last octets are to be reported
    unreported: bool = False
    #: all passes: a control is switched off, or the OCS is not there and has wanted it so
    free: bool = False
    #: when its last packet passed, and after how long without one it gives back what it has; 0: never
    last: float = 0.0
    holding: float = 0.0
    timer: Timer | None = None
    triggers: frozenset[int] = NO_TRIGGERS
    #: more is to be asked for, and why; a request about it is under way
    asked: bool = False
    out: bool = False
    reason: ReportingReason = ReportingReason.QUOTA_EXHAUSTED
    waiting: list[_Waiting] = field(default_factory=list)  # an empty deque takes ten times as much

    def has_room(self, size: int, *, up: bool) -> bool:
        """Return True if a packet is no larger than what is left for its direction."""
        return size <= self.left[0] and size <= self.left[1 if up else 2]

    def count(self, size: int, *, up: bool) -> None:
        """Count a packet that passes."""
        self.used[not up] += size
        self.left[0] -= size
        self.left[1 if up else 2] -= size

    def end_grant(self) -> None:
        """Let no more pass until another grant comes."""
        self.left = [0, 0, 0]
        self.stop_clock()

    def stop_clock(self) -> None:
        """Count no seconds any more."""
        if self.clock is not None:
            self.clock.cancel()
        self.clock = self.begun = None


class Grantor(Protocol[S_contra]):
    """The client of an OCS, as far as the credit of its sessions needs it."""

    def judge(self, session: S_contra, on: str, grant: Grant) -> Decision:
        """Decide whether what the OCS said of a group lets packets pass."""
        ...

    def ask(self, session: S_contra) -> None:
        """Send a request about a session."""
        ...

    def end_exhausted(self, session: S_contra) -> None:
        """End a session of which the last group has ended."""
        ...


class Credit(Generic[S_contra]):
    """The rating groups of a session."""

    __slots__ = ("_changes", "_clock", "_due", "_grantor", "_session", "groups", "over", "uncharged")

    def __init__(self, grantor: Grantor[S_contra], session: S_contra, clock: Clock) -> None:
        self._grantor, self._session, self._clock = grantor, session, clock
        #: no group has octets any more; none needs any
        self.over = self.uncharged = False
        self.groups: dict[int, Group] = {}
        self._changes: frozenset[int] = NO_TRIGGERS
        #: a request is due that is not made yet: all that there is to say until then is in it
        self._due = False

    def take(self, number: int, size: int, now: float, told: Callable[[bool], bool], *, up: bool) -> bool | None:
        """Count a packet for a group: whether it passes, None if it waits; then `told` hears."""
        group = self._group(number)
        group.last = now
        if group.free or group.ended:
            group.used[not up] += size if group.free else 0
            return group.free
        if not group.waiting and group.has_room(size, up=up):
            self._spend(group, size, up=up)
            return True
        if group.final and not group.asked:
            self._finish(group)
            return group.free
        if len(group.waiting) >= MOST_WAITING:
            return False
        group.waiting.append(_Waiting(size, up, told))
        self._want(group, ReportingReason.QUOTA_EXHAUSTED)
        return None

    def _group(self, number: int) -> Group:
        group = self.groups.get(number)
        if group is None:
            group = self.groups[number] = Group()
            group.free = self.uncharged
        return group

    def debit(self, number: int, size: int, *, up: bool) -> None:
        """Count a packet that has passed already; the units left may become negative, and more are requested."""
        group = self._group(number)
        if group.free:
            group.used[not up] += size
        elif not group.ended:
            self._spend(group, size, up=up)

    def _spend(self, group: Group, size: int, *, up: bool) -> None:
        group.count(size, up=up)
        if group.begun is None and group.grant is not None and group.grant.seconds:
            group.begun = self._clock.now()
            group.clock = self._clock.call_later(group.grant.seconds, lambda: self._time_out(group))
        if min(group.left) < group.threshold and not group.final:
            self._want(group, ReportingReason.THRESHOLD)

    def _time_out(self, group: Group) -> None:
        """End a grant whose seconds are over, however many octets of it are left."""
        group.left, group.clock = [0, 0, 0], None
        if group.final:
            self._finish(group)
        else:
            self._want(group, ReportingReason.QUOTA_EXHAUSTED)

    def _want(self, group: Group, reason: ReportingReason) -> None:
        if not group.asked:
            group.asked, group.reason = True, reason
            self._ask_once()

    def _ask_once(self) -> None:
        if not self._due:
            self._due = True
            self._grantor.ask(self._session)

    def begin(self, groups: Iterable[int]) -> None:
        """Have groups asked for with the first request."""
        self.groups = {each: Group() for each in groups}
        self.want_all(ReportingReason.QUOTA_EXHAUSTED)

    def want(self, number: int) -> bool:
        """Report one group and ask for it, as its OCS orders; return False if there is no such group."""
        group = self.groups.get(number)
        if group is None:
            return False
        if not group.out:
            group.ended = group.denied = False
            self._want(group, ReportingReason.FORCED_REAUTHORISATION)
        return True

    def want_all(self, reason: ReportingReason) -> None:
        """Have all groups that go on reported and asked for with the next request.

        Where the OCS has ordered that, those too that it has refused: it may grant them something now.
        """
        for group in self.groups.values():
            if reason is ReportingReason.FORCED_REAUTHORISATION:
                group.ended = group.denied = group.exempt = False
            if not group.ended and not group.exempt:
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
        changes, self._changes, self._due = self._changes, NO_TRIGGERS, False
        for group in self.groups.values():
            if not group.ended and group.triggers & changes:
                group.asked, group.reason = True, ReportingReason.RATING_CONDITION_CHANGE
        return changes

    def report(self, group: Group) -> Used:
        """Return what a request reports of a group; what passes from now on is of the next report."""
        (uplink, downlink), group.used = group.used, [0, 0]
        group.unreported, group.out = False, group.asked
        grant, begun = group.grant, group.begun
        directed = grant is not None and (grant.uplink is not None or grant.downlink is not None)
        seconds = round(self._clock.now() - begun) if begun is not None else 0
        group.stop_clock()
        timed = grant is not None and grant.seconds > 0
        return Used(uplink, downlink, seconds if timed else None, directed=directed)

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
            elif back and group.free and not group.exempt:  # the answer is to a request about others
                group.free = False
                group.end_grant()
                self._want(group, ReportingReason.QUOTA_EXHAUSTED)
        self._look()

    def _granted(self, group: Group, grant: Grant, on: str) -> None:
        group.asked = group.out = False
        if not self._admit(group, on, grant):
            return
        group.grant = grant
        group.stop_clock()
        up, down = group.used  # what passed since the report is of these
        limits = (grant.total, up + down), (grant.uplink, up), (grant.downlink, down)
        group.left = [math.inf if most is None else most - used for most, used in limits]
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
        group.end_grant()
        group.final = False
        group.unreported, group.reason = True, ReportingReason.QHT
        self._ask_once()

    def _drain(self, group: Group) -> None:
        """Let packets go that waited. One that a whole grant has no room for is dropped: no other is asked for it."""
        progress = False
        while group.waiting and not group.ended:
            size, up, told = group.waiting[0]
            if group.free or group.has_room(size, up=up):
                group.waiting.pop(0)
                progress = True
                if not told(True):
                    continue
                if group.free:
                    group.used[not up] += size
                else:
                    self._spend(group, size, up=up)
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
        if self._grantor.judge(self._session, on, grant).admitted:
            group.free, group.exempt = not grant.units, grant.exempt
            if group.free:
                self._drain(group)
            return not group.free
        group.ended, group.denied, group.unreported = True, grant.denied, True
        group.end_grant()
        group.asked, group.reason = False, ReportingReason.FINAL
        self._hold(group, 0)
        while group.waiting:
            group.waiting.pop(0).told(False)
        return False

    def _look(self) -> None:
        if self.groups and not self.over and all(each.ended for each in self.groups.values()):
            self.over = True
            self._grantor.end_exhausted(self._session)

    def go_on(self, why: str, on: str = CREDIT, *, exempt: bool = False) -> None:
        """Have all packets pass, since the OCS has wanted that for when it is not there; a late answer ends it.

        `exempt`: it has said that it counts nothing of the session (4011).
        """
        self.uncharged = True
        for group in self.groups.values():
            if exempt:
                group.asked = group.out = False
            if not group.ended:
                self._admit(group, on, Grant(why=why, free=True, exempt=exempt))

    def drop(self) -> None:
        """Drop what waits: the session is over."""
        for group in self.groups.values():
            group.ended, group.asked = True, False
            group.stop_clock()
            self._hold(group, 0)
            while group.waiting:
                group.waiting.pop(0).told(False)

    @property
    def granted(self) -> bool:
        """Whether the OCS has granted units to some group before."""
        return any(each.grant is not None for each in self.groups.values())

    @property
    def denied(self) -> bool:
        """Whether the OCS has said of some group that it is given nothing for now."""
        return any(each.denied for each in self.groups.values())

    @property
    def partly_asked(self) -> bool:
        """Whether the request that is under way is about some groups, and not about others."""
        return any(not each.out for each in self.groups.values())
