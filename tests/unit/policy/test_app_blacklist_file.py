"""Files of people's apps: what they may say, what they say beside the shipped ones, and where one is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simwarden.errors import ConfigError
from simwarden.policy.app_blacklist_file import AppLists, shipped_lists

FACT = 'source = "https://www.example.net/hosts"\nread = 2026-11-27\n'
APP = f"""\
# an operator's own
[[app]]
name = "tunes"
title = "Tunes"
category = "music"
[[app.fact]]
domains = ["tunes.example.net"]
{FACT}"""


def who(lists: AppLists, name: str, use: str = "") -> str:
    found = lists.of(use).by_name(name)
    return "" if found is None else found.who if found.denied else f"+{found.who}"


def error_of(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        shipped_lists().read(text, "own.toml")
    return str(caught.value)


def test_a_file_adds_apps_and_needs_to_those_shipped() -> None:
    lists = shipped_lists().read(
        APP
        + f'[[needed]]\nname = "shop"\ntitle = "Shop"\nwhy = "a till"\n[[needed.fact]]\nhosts = ["a.jd.com"]\n{FACT}',
        "own.toml",
    )
    assert who(lists, "www.tunes.example.net") == "tunes"
    assert who(lists, "tunes.example.net") == "tunes"
    assert who(lists, "a.jd.com") == "+shop"
    assert who(lists, "b.jd.com") == "jd"
    assert who(shipped_lists(), "www.tunes.example.net") == ""


def test_what_has_the_name_of_a_shipped_one_takes_its_place() -> None:
    lists = shipped_lists().read(APP.replace('"tunes"', '"steam"'), "own.toml")
    assert who(lists, "tunes.example.net") == "steam"
    assert who(lists, "steampowered.com") == ""
    assert [each.name for each in lists.apps].count("steam") == 1


@pytest.mark.parametrize("word", ["public-safety", "公共安全"])
def test_what_is_said_of_a_use_is_for_its_cards_and_those_of_its_variants(word: str) -> None:
    lists = shipped_lists().read(APP.replace('"music"', f'"music"\nuses = ["{word}"]'), "own.toml")
    assert who(lists, "tunes.example.net", "public-safety") == "tunes"
    assert who(lists, "tunes.example.net", "elevator-alarm") == "tunes"
    assert who(lists, "tunes.example.net", "smart-metering") == ""
    assert who(lists, "tunes.example.net") == ""


def test_a_use_may_keep_open_what_is_closed_to_all_others() -> None:
    needed = f'[[needed]]\nname = "films"\ntitle = "Films"\nwhy = "a screen that shows them"\nuses = ["smart-advertising"]\n[[needed.fact]]\ndomains = ["youku.com"]\n{FACT}'  # noqa: E501
    lists = shipped_lists().read(needed, "own.toml")
    assert who(lists, "v.youku.com", "smart-advertising") == "+films"
    assert who(lists, "youku.com", "smart-advertising") == "+films"
    assert who(lists, "v.youku.com", "smart-metering") == "youku"
    assert who(lists, "v.youku.com") == "youku"


def test_to_keep_open_for_all_what_is_closed_by_the_same_name_opens_nothing() -> None:
    needed = f'[[needed]]\nname = "films"\ntitle = "Films"\nwhy = "-"\n[[needed.fact]]\ndomains = ["youku.com"]\n{FACT}'
    assert who(shipped_lists().read(needed, "own.toml"), "v.youku.com") == "youku"


def test_a_blacklist_may_be_of_some_categories() -> None:
    games = shipped_lists().of(categories={"games"})
    assert games.by_name("qqgame.qq.com") is not None
    assert games.by_name("v.qq.com") is None
    assert shipped_lists().of(categories={"games"}) is games
    assert shipped_lists().of(categories=["social", "video", "shopping", "games"]) is shipped_lists().of()
    with pytest.raises(ValueError, match="'news' is no kind of app; there are games, shopping, social, video"):
        shipped_lists().of(categories=["news", "games"])
    with pytest.raises(ValueError, match="'toaster' is no use"):
        shipped_lists().of("toaster")


def test_the_shipped_lists_have_the_categories_of_the_guideline_and_no_other() -> None:
    assert {each.category for each in shipped_lists().apps} == {"social", "video", "shopping", "games"}


@pytest.mark.parametrize(
    "name",
    [
        "qq.com",
        "com.cn",
        "org.cn",
        "aliyuncs.com",
        "oss-cn-shanghai.aliyuncs.com",
        "cn-shanghai.aliyuncs.com",
        "iotcloud.tencentdevices.com",
        "cos.ap-shanghai.myqcloud.com",
        "tim.qq.com",
        "alicdn.com",
        "amazonaws.com",
        "s3.amazonaws.com",
    ],
)
def test_what_many_share_is_closed_by_no_suffix(name: str) -> None:
    for said in (f'domains = ["{name}"]', f'hosts = ["*.{name}"]'):
        wrong = error_of(APP.replace('domains = ["tunes.example.net"]', said))
        assert wrong.startswith(f"own.toml:7: app tunes: what is below {name} may not be closed: ")


@pytest.mark.parametrize(
    "said",
    [
        'hosts = ["bucket.oss-cn-shanghai.aliyuncs.com"]',
        'hosts = ["qq.com"]',
        'domains = ["games.qq.com", "a.rented.github.io"]',
    ],
)
def test_one_party_s_name_among_those_that_share_may_be_closed(said: str) -> None:
    assert shipped_lists().read(APP.replace('domains = ["tunes.example.net"]', said), "own.toml").of().entries


@pytest.mark.parametrize("suffix", ["example.net", "hosts.example.net", "*.hosts.example.net"])
def test_suffixes_of_a_file_are_kept_from_its_own_apps(suffix: str) -> None:
    shared = f'[[shared]]\nsuffixes = ["{suffix}"]\nwhy = "all have a name there"\n{FACT}'
    shipped_lists().read(APP + shared, "own.toml")
    wrong = error_of(APP.replace("tunes.example.net", "example.net") + shared)
    assert "what is below example.net may not be closed: all have a name there" in wrong


def test_a_name_of_other_letters_is_the_one_of_the_wire() -> None:
    lists = shipped_lists().read(APP.replace("tunes.example.net", "Bücher.example"), "own.toml")
    assert who(lists, "a.xn--bcher-kva.example") == "tunes"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"tunes.example.net"', '"*.tunes.example.net"', "own.toml:7: app 1, fact 1, domains 1: '*.tunes.example.net'"),
        ('"tunes.example.net"', '"a.example.net", "b_c"', "own.toml:7: app 1, fact 1, domains 2: 'b_c' is no name"),
        ('"tunes.example.net"', '\n"a.example.net",\n"net"', "own.toml:9: app 1, fact 1, domains 2: 'net' is no name"),
        ('"tunes.example.net"', '"192.0.2.1"', "own.toml:7: app 1, fact 1, domains 1: '192.0.2.1' is no name"),
        ('"tunes.example.net"', '"0x7f.1"', "own.toml:7: app 1, fact 1, domains 1: '0x7f.1' holds neither"),
        ('"tunes.example.net"', '"a..net"', "own.toml:7: app 1, fact 1, domains 1: 'a..net' holds neither"),
        ('"tunes.example.net"', '"表..net"', "own.toml:7: app 1, fact 1, domains 1: "),
        ('"tunes.example.net"', '"a.example.net:443"', "own.toml:7: app 1, fact 1, domains 1: "),
        ('"tunes.example.net"', '"x://a.example.net"', "own.toml:7: app 1, fact 1, domains 1: "),
        ('"tunes.example.net"', "7", "own.toml:7: app 1, fact 1, domains 1: Input should be a valid string"),
        ('domains = ["tunes.example.net"]', "", "own.toml:6: app 1, fact 1: a fact has domains, hosts or networks"),
        ("domains", "domain", "own.toml:7: app 1, fact 1, domain: there is no such key"),
        ('domains = ["tunes.example.net"]', 'hosts = ["*"]', "own.toml:7: app 1, fact 1, hosts 1: '*' is no name"),
        ('domains = ["tunes.example.net"]', 'hosts = ["*.net"]', "own.toml:7: app 1, fact 1, hosts 1: '*.net' is no"),
        ('domains = ["tunes.example.net"]', 'hosts = ["any"]', "own.toml:7: app 1, fact 1, hosts 1: 'any' is no name"),
        ('domains = ["tunes.example.net"]', 'networks = ["101.224.0.0/13"]', "wider than /16"),
        ('domains = ["tunes.example.net"]', 'networks = ["2001:d00::/24"]', "wider than /32"),
        ('domains = ["tunes.example.net"]', 'networks = ["192.0.2.1/24"]', "own.toml:7: app 1, fact 1, networks 1: "),
        ('"https://www.example.net/hosts"', '"a friend"', "own.toml:8: app 1, fact 1, source: "),
        ("2026-11-27", '"lately"', "own.toml:9: app 1, fact 1, read: "),
        ("read = 2026-11-27", "", "own.toml:6: app 1, fact 1, read: Field required"),
        ('"tunes"', '"Tunes!"', "own.toml:3: app 1, name: "),
        ('category = "music"', "", "own.toml:2: app 1, category: Field required"),
        ('"music"', '"music"\nuses = ["toaster"]', "own.toml:6: app 1, uses 1: 'toaster' is no use of the catalogue"),
        ("[[app.fact]]", "[[app]]", "own.toml:2: app 1, fact: Field required"),
        ("[[app.fact]]", "[[app.fact]", "own.toml:6:"),
        ("# an operator's own", "apps = 3", "own.toml:1: apps: there is no such key"),
        ("# an operator's own", "[[apps]]", "own.toml:1: apps: there is no such key"),
        ("# an operator's own", "shared = 3", "own.toml:1: shared: "),
    ],
)
def test_a_wrong_entry_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert old in APP
    assert told in error_of(APP.replace(old, new))


def test_lines_are_those_of_the_entry_and_of_no_other() -> None:
    radio = APP.replace('"tunes"', '"radio"')
    for text, told in [
        (APP + radio.replace("2026-11-27", '"lately"'), "own.toml:18: app 2, fact 1, read: "),
        (APP + radio.replace("tunes.example.net", "net"), "own.toml:16: app 2, fact 1, domains 1: "),
        (APP + f'[[app.fact]]\ndomains = ["net"]\n{FACT}', "own.toml:11: app 1, fact 2, domains 1: "),
        (APP + APP, "own.toml:12: there are two entries 'tunes' of `app`"),
        ('app = [{name = "x", title = "X", category = "music", fact = []}]', "own.toml: app 1, fact: "),
    ]:
        assert error_of(text).startswith(told)


@given(st.text(max_size=200) | st.builds(APP.replace, st.sampled_from(APP.split()), st.text(max_size=20)))
def test_any_text_is_lists_or_an_error_of_the_file(text: str) -> None:
    try:
        shipped_lists().read(text, "own.toml")
    except ConfigError as wrong:
        place = wrong.place
    else:
        return
    assert place is not None
    assert place.file == "own.toml"
    assert place.line <= len(text.splitlines())


PAGE = (Path(__file__).parents[3] / "docs" / "blacklists.md").read_text("utf-8")


def test_the_page_names_the_shipped_apps() -> None:
    for category in ("social", "video", "shopping", "games"):
        titles = ", ".join(each.title for each in shipped_lists().apps if each.category == category)
        assert f"| {category} | {titles} |" in PAGE


def test_the_file_on_the_page_is_one_and_says_what_the_page_says() -> None:
    example = PAGE.split("```toml\n")[1].split("```")[0]
    lists = shipped_lists().read(example, "own.toml")
    for name, use, found in [
        ("tunes.example.net", "smart-advertising", "tunes"),
        ("radio.example.net", "smart-advertising", ""),
        ("a.radio.example.net", "smart-advertising", "tunes"),
        ("tunes.example.net", "smart-metering", ""),
        ("v.youku.com", "office-tablet", "+training-films"),
        ("v.youku.com", "smart-metering", "youku"),
    ]:
        assert who(lists, name, use) == found
    assert error_of(example.replace("tunes.example.net", "net")) in PAGE
