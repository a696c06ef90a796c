"""Binding by the operator's hand, of single cards and of batches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulators.cmp import controls
from simulators.cmp.card import REBIND, Change
from simulators.cmp.procedures.lifecycle import check_lock, eviction, tell_hss
from simwarden.errors import ManagementError
from simwarden.model.identity import bindable_imei
from simwarden.policy.card_states import CardState
from simwarden.policy.platform import judge_captured, judge_phone, judge_pools
from simwarden.runtime.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.cmp.card import Card
    from simulators.cmp.config import BatchItem
    from simulators.cmp.platform import Platform, Settings
    from simwarden.operations.approval import By


async def bind(platform: Platform, card: Card, by: By, *, imei: str = "") -> None:
    """Bind a card to an IMEI (14 to 16 digits), or with none to that of its next use, in place of what it was bound to.

    What it has in another terminal ends at once, and one that is to learn attaches anew. Raises ValueError for what is
    no IMEI, and ManagementError: 403 for a customer, without approval or in the test period, 429 after too many
    changes, 423 for a locked card.
    """
    key = bindable_imei(imei) if imei else ""
    _may_change(platform, card, by, "bind")
    await _change(platform, card, by, "given" if key else "learned", key)


async def unbind(platform: Platform, card: Card, by: By) -> None:
    """Take a card's binding away. Raises as `bind`."""
    _may_change(platform, card, by, "unbind")
    await _change(platform, card, by, "", "")


async def change_batch(platform: Platform, items: Sequence[BatchItem], by: By) -> list[dict[str, Any]]:
    """Change the bindings of a batch; return for each card `{imsi, status, reason}`, with HTTP statuses.

    A card that is refused keeps no other from being changed. Raises ManagementError: 400 for a batch that is too large.
    """
    most = platform.config.limits.batch
    platform.audit.require(controls.BATCH, "", by, "batch", {"size": len(items), "most": most}, status=400)
    return [await _change_one(platform, item, by) for item in items]


async def _change_one(platform: Platform, item: BatchItem, by: By) -> dict[str, Any]:
    own: dict[str, Any] = {name: getattr(item, name) or value for name, value in by.approval.items()}
    each = replace(by, **own)
    try:
        card = platform.card(item.imsi, by)
        if item.imei or item.learn:
            await bind(platform, card, each, imei=item.imei)
        else:
            await unbind(platform, card, each)
    except ManagementError as refusal:
        return {"imsi": item.imsi, "status": refusal.status, "reason": str(refusal)}
    except ValueError as wrong:
        return {"imsi": item.imsi, "status": 400, "reason": str(wrong)}
    except StoreError as trouble:
        return {"imsi": item.imsi, "status": 503, "reason": str(trouble)}
    return {"imsi": item.imsi, "status": 200, "reason": ""}


def _may_change(platform: Platform, card: Card, by: By, action: str) -> None:
    platform.binding.approve(card.imsi, by, action)
    platform.audit.require(controls.BINDABLE, card.imsi, by, action, {"state": card.state})
    check_lock(platform, card, by, action)
    if card.bound:
        platform.binding.once_more(card.imsi, by, action)


async def _change(platform: Platform, card: Card, by: By, mode: str, key: str) -> None:
    before = card.bound
    action = REBIND if before else "bind" if mode else "unbind"
    change, operated = Change(card), platform.now().timestamp()
    change.values |= {"mode": mode, "bound": key, "mismatches": 0, "strayed": False, "operated": operated}
    details = {"before": before, "after": key, "mode": mode}
    change.audit.append(platform.binding.record(action, card.imsi, by, details))
    learns = mode == "learned" and bool(card.terminal)  # by an attach anew: for days nobody may ask about it
    if learns or is_wrong(platform, card, platform.settings, bound=key):
        eviction(platform, change)
    platform.keep(change)
    platform.show_binding(card)
    await tell_hss(platform, card)


def is_wrong(platform: Platform, card: Card, settings: Settings, *, bound: str) -> bool:
    """Whether a card would be refused now in the terminal that it was seen in last. One not seen would not."""
    account = settings.accounts.get(card.account, platform.config.others)
    if not card.terminal or account.check == "next-day":
        return False
    if not judge_phone(kind=platform.kind_of(card.terminal), seen=card.terminal, wish=account.phone).admitted:
        return True
    if card.state is CardState.TEST and not bound:
        return False
    wish: dict[str, Any] = {"mismatch": account.mismatch, "before": card.mismatches, "grace": account.grace}
    if bound and not judge_captured(bound=bound, seen=card.terminal, **wish).admitted:
        return True
    return not judge_pools(seen=card.terminal, pools=settings.pools_of(card), **wish).admitted


def pending_by(platform: Platform, card: Card) -> str:
    """Return what is pending for the HSS of a card by whose it is now: the end of its use where that refuses it."""
    change = Change(card)
    if is_wrong(platform, card, platform.settings, bound=card.bound):
        eviction(platform, change)
    return str(change.becomes("pending"))
