"""Work on very many cards, a slice at a time, so that it stops neither S13 nor anything else (100,000 took 5 to 27 s).

What is to be done is kept first, and from then on holds for each card that the network asks about; the cards are gone
through after it, and after a restart once more from the first one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from simulators.cmp.card import Change
from simulators.cmp.procedures.binding import is_wrong
from simulators.cmp.procedures.lifecycle import eviction, operation, tell_all, tell_hss
from simwarden.errors import ManagementError
from simwarden.operations.approval import By
from simwarden.operations.management import Role
from simwarden.policy.card_states import TRANSITIONS, Operation
from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from simulators.cmp.card import Card
    from simulators.cmp.platform import Platform

#: cards that are gone through at once: 2 to 8 ms of CPU
SLICE: Final = 64
#: cards that are counted at once, in about as much
COUNTED: Final = 5000
#: the kind of setting that a sweep is kept as
SWEEP: Final = "sweep"


@dataclass(slots=True)
class Sweep:
    """What is to be done to the cards of an account (None: of all), or of one of its batches.

    With a batch they are suspended, by somebody; without, the use of those ends that settings refuse where they are.
    `after` is the card up to which that is done.
    """

    id: str
    account: str | None
    batch: str | None = None
    by: dict[str, str] = field(default_factory=dict)
    after: str = ""

    @property
    def kept(self) -> tuple[str, str, Any]:
        """What is kept of it."""
        return SWEEP, self.id, {**asdict(self), "after": ""}

    def suspends(self, card: Card) -> bool:
        """Whether it is about to suspend a card."""
        return (
            (card.account, card.batch) == (self.account, self.batch)  # no card's is None
            and card.imsi > self.after
            and (card.state, Operation.SUSPEND) in TRANSITIONS
        )

    def change(self, platform: Platform, card: Card) -> Change | None:
        """Return what becomes of a card; None: nothing."""
        change = Change(card)
        if self.suspends(card):
            said = self.by
            by = By(Role.OPERATOR, said["caller"], said["approver"], said["reason"], said["form"])
            operation(platform, change, Operation.SUSPEND, by, by.reason)
        elif self.batch is None and is_wrong(platform, card, platform.settings, bound=card.bound):
            eviction(platform, change)
        return change if change.values else None


def new_sweep(platform: Platform, account: str | None, batch: str | None = None, by: By | None = None) -> Sweep:
    """Make a sweep."""
    said = {"caller": by.caller, **by.approval} if by is not None else {}
    return Sweep(platform.site.rng.randbytes(16).hex(), account, batch, said)


async def carry_out(platform: Platform, sweep: Sweep) -> int:
    """Go through the cards, and return how many something became of; the HSS is told of them slice by slice.

    Without its database it goes on later. Raises StoreError.
    """
    platform.sweeps[sweep.id] = sweep
    done = 0
    try:
        while some := platform.store.some(sweep.account, sweep.batch, after=sweep.after, most=SLICE):
            changes = [change for card in some if (change := sweep.change(platform, card)) is not None]
            platform.keep(*changes)
            sweep.after = some[-1].imsi
            done += len(changes)
            await tell_all(platform, [change.card for change in changes])
            await platform.site.clock.give_way()
        platform.store.unset(SWEEP, sweep.id)
    except StoreError:
        platform.site.spawn(_later(platform, sweep), "cards gone through later")
        raise
    del platform.sweeps[sweep.id]
    return done


async def _later(platform: Platform, sweep: Sweep) -> None:
    await platform.site.clock.sleep(platform.config.retry)
    with suppress(StoreError):  # it has said so, and goes on later still
        await carry_out(platform, sweep)


def take_up(platform: Platform) -> None:
    """Begin anew what a stop or a kill came between; it holds at once."""
    for value in platform.store.settings(SWEEP).values():
        sweep = Sweep(**value)
        platform.sweeps[sweep.id] = sweep
        platform.site.spawn(_carry_on(platform, sweep), "cards gone through")


async def _carry_on(platform: Platform, sweep: Sweep) -> None:
    with suppress(StoreError):  # as above
        await carry_out(platform, sweep)


def hold(platform: Platform, card: Card) -> None:
    """Let what is to be done to a card's batch be done to the card that the network asks about, before its turn."""
    for sweep in platform.sweeps.values():
        if sweep.suspends(card):
            change = sweep.change(platform, card)
            assert change is not None  # noqa: S101 - it suspends it
            platform.keep(change)
            platform.site.spawn(tell_hss(platform, card), "suspension")


async def shut_down(platform: Platform, account: str, batch: str, by: By) -> int:
    """Suspend all cards of one batch of a customer at once (guideline 4.4), and return how many.

    No limit of batches and no lock holds it up. The whole batch is refused at the next request before the HSS is
    told of the first card. Raises ManagementError: 403 for a customer or without an approval record, 404 for a batch
    without cards.
    """
    platform.binding.approve("", by, "shutdown")
    stopped = await _stopped(platform, account, batch)
    whole = {"account": account, "batch": batch, "cards": stopped, **by.approval}
    sweep = new_sweep(platform, account, batch, by)
    platform.store.set(platform.record("shutdown", "", by, whole), sweep.kept)
    await carry_out(platform, sweep)
    return stopped


async def _stopped(platform: Platform, account: str, batch: str) -> int:
    """Return how many cards a shutdown of a batch will suspend. Raises ManagementError (404)."""
    after, stopped = "", 0
    while some := platform.store.states(account, batch, after=after, most=COUNTED):
        after = some[-1][0]
        stopped += sum((state, Operation.SUSPEND) in TRANSITIONS for _, state in some)
        await platform.site.clock.give_way()
    if not after:
        raise ManagementError(404, f"{account} has no batch {batch}")
    return stopped
