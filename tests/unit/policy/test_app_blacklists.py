"""Which entry of a blacklist counts for a name or an address: the most specific, whatever the others say."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simwarden.model.network import Network
from simwarden.policy.access_list import Destination
from simwarden.policy.app_blacklist_file import shipped_lists
from simwarden.policy.app_blacklists import Blacklist, Entry, _Label


def entry(text: str, who: str, *, for_use: bool = False) -> Entry:
    """Return an entry that closes (`app`), or keeps open (`+need`)."""
    return Entry(Destination.parse(text), not who.startswith("+"), who, for_use)


def who(blacklist: Blacklist, seen: str) -> str:
    try:
        found = blacklist.by_address(ip_address(seen).packed)
    except ValueError:
        found = blacklist.by_name(seen)
    return found.who if found else ""


@pytest.mark.parametrize(
    ("seen", "counts"),
    [
        ("chat.example.net", "chat"),
        ("CHAT.Example.NET", "chat"),
        ("chat.example.net.", "chat"),
        ("a.chat.example.net", "chat-below"),
        ("b.a.chat.example.net", "chat-below"),
        ("pay.chat.example.net", "+pay"),
        ("a.pay.chat.example.net", "chat-below"),  # kept open is the name alone
        ("x.things.chat.example.net", "+things"),
        ("things.chat.example.net", "chat-below"),  # kept open is what is below it alone
        ("spy.x.things.chat.example.net", "spy"),
        ("example.net", ""),
        ("net", ""),
        ("", ""),
        (".", ""),
        ("xchat.example.net", ""),
        ("chat.example.net.example", ""),
        ("chat..example.net", ""),
        ("*.chat.example.net", "chat-below"),
        ("..chat.example.net", "chat-below"),
        ("\x00.chat.example.net", "chat-below"),
        ("表.chat.example.net", "chat-below"),
        ("192.0.2.10", "host"),
        ("192.0.2.11", "+net"),
        ("192.0.3.1", "wide"),
        ("198.51.100.1", ""),
        ("::ffff:192.0.2.10", "host"),
        ("64:ff9b::192.0.2.11", "+net"),
        ("64:ff9b::198.51.100.1", "nat"),
        ("2001:db8:1::1", "six"),
        ("2001:db8:2::1", ""),
    ],
)
def test_the_most_specific_entry_counts(seen: str, counts: str) -> None:
    blacklist = Blacklist(
        [
            entry("chat.example.net", "chat"),
            entry("*.chat.example.net", "chat-below"),
            entry("pay.chat.example.net", "+pay"),
            entry("*.things.chat.example.net", "+things"),
            entry("spy.x.things.chat.example.net", "spy"),
            entry("192.0.2.0/23", "wide"),
            entry("192.0.2.0/24", "+net"),
            entry("192.0.2.10", "host"),
            entry("2001:db8:1::/48", "six"),
            entry("64:ff9b::c633:6401", "nat"),
        ]
    )
    assert who(blacklist, seen) == counts


@pytest.mark.parametrize("text", ["chat.example.net", "*.example.net", "192.0.2.0/24"])
@pytest.mark.parametrize(
    ("entries", "counts"),
    [
        (["+need", "app"], "app"),
        (["app", "+need for the use"], "+need for the use"),
        (["+need", "app for the use"], "app for the use"),
        (["+need for the use", "app for the use"], "app for the use"),
    ],
)
def test_of_two_alike_that_of_the_use_counts_and_then_the_one_that_closes(
    text: str, entries: list[str], counts: str
) -> None:
    rows = [entry(text, each, for_use=each.endswith("use")) for each in entries]
    seen = "192.0.2.9" if text[0].isdigit() else "chat.example.net"
    assert who(Blacklist(rows), seen) == who(Blacklist(reversed(rows)), seen) == counts


_LABELS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(".".join)
_NAMES = st.builds("{}{}".format, st.sampled_from(["", "*."]), _LABELS)
_NETWORKS = st.builds("{}.{}/{}".format, st.just("192.0.2"), st.integers(0, 255), st.integers(16, 32))
_ENTRIES = st.lists(
    st.builds(Entry, (_NAMES | _NETWORKS).map(Destination.parse), st.booleans(), st.sampled_from("xy"), st.booleans()),
    max_size=6,
)


@given(_ENTRIES, _LABELS)
@example([entry("*.a", "below"), entry("b.a", "+alone")], "b.a")
@example([entry("*.a", "+below"), entry("a", "alone"), entry("*.b.a", "below")], "c.b.a")
def test_a_name_has_the_first_of_the_entries_in_their_order_that_fits(rows: list[Entry], name: str) -> None:
    blacklist, seen = Blacklist(rows), Destination.parse(name)
    fits = [each for each in blacklist.entries if isinstance(each.destination.host, str)]
    assert blacklist.by_name(name) == next((each for each in fits if seen.within(each.destination)), None)


@given(_ENTRIES, st.integers(0, 255))
def test_an_address_has_the_first_of_the_entries_in_their_order_that_fits(rows: list[Entry], last: int) -> None:
    blacklist, address = Blacklist(rows), bytes((192, 0, 2, last))
    fits = [each for each in blacklist.entries if isinstance(each.destination.host, Network)]
    first = next((each for each in fits if each.destination.host.has(address)), None)  # type: ignore[union-attr]
    assert blacklist.by_address(address) == first


@given(st.text(max_size=80))
def test_any_name_is_looked_up(name: str) -> None:
    found = shipped_lists().of().by_name(name)
    assert found is None or name.lower().rstrip(".").endswith(str(found.destination.host).removeprefix("*."))


class _Counted(dict[str, _Label]):
    """Labels that count how often they are looked at."""

    looks = 0

    def get(self, key: str, _default: object = None) -> _Label | None:  # type: ignore[override]
        _Counted.looks += 1
        return super().get(key)


def _count(at: _Label) -> None:
    for each in at.labels.values():
        _count(each)
    at.labels = _Counted(at.labels)


def test_a_look_up_takes_a_step_a_label_however_long_the_list_is() -> None:
    blacklist = Blacklist(
        [entry(f"n{number}.example.net", "app") for number in range(2000)] + [entry("*.a.b.c.example.net", "app")]
    )
    _count(blacklist._top)
    for name, steps in [
        ("www.example", 1),
        ("x.y.z.example.org", 1),
        ("n1999.example.net", 3),
        ("x.y.n7.example.net", 4),
        ("x.a.b.c.example.net", 6),
        (".".join(["x"] * 500) + ".other.net", 2),
    ]:
        _Counted.looks = 0
        blacklist.by_name(name)
        assert _Counted.looks == steps, name


def test_the_entries_of_the_shipped_lists_are_all_found() -> None:
    blacklist = shipped_lists().of()
    for each in blacklist.entries:
        host = each.destination.host
        if isinstance(host, Network):
            found = blacklist.by_address((host.start).to_bytes(host.width // 8))
        else:
            found = blacklist.by_name(host.replace("*", "some"))
        assert found == each
