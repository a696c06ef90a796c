"""Topic names and topic filters (MQTT 3.1.1, 4.7)."""

from __future__ import annotations

from urllib.parse import quote

from simwarden.errors import PeerError

_LONGEST = 65535
#: what may stand in a level as it is, besides letters and digits: the rest would part levels or be a wildcard
_PLAIN = "-._~!'()*,:;=@ "


def check_topic(topic: str) -> None:
    """Let a topic name be one that a message can be published to. Raises PeerError (4.7.1, 4.7.3)."""
    if not topic or "+" in topic or "#" in topic or "\0" in topic or len(topic.encode()) > _LONGEST:
        raise PeerError(f"{topic[:80]!r} is no topic name")


def check_filter(topic_filter: str) -> None:
    """Let a topic filter be one that can be subscribed to. Raises PeerError (4.7.1)."""
    levels = topic_filter.split("/")
    fine = (
        bool(topic_filter)
        and "\0" not in topic_filter
        and all(each in ("+", "#") or not ("+" in each or "#" in each) for each in levels)
        and "#" not in levels[:-1]
    )
    if not fine:
        raise PeerError(f"{topic_filter[:80]!r} is no topic filter")


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a topic name is within a filter. A wildcard at the start leaves `$` topics out (4.7.2)."""
    if topic.startswith("$") and topic_filter[:1] in ("+", "#"):
        return False
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for number, each in enumerate(wanted):
        if each == "#":
            return True
        if number >= len(levels) or each not in ("+", levels[number]):
            return False
    return len(wanted) == len(levels)


def level(text: str) -> str:
    """Return a text as one level of a topic: what parts levels or is a wildcard is percent-encoded."""
    return quote(text, safe=_PLAIN)
