"""What contracts name for each use: a YAML file by which `classify` finds what a card has beyond its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from simwarden.cli.card_table import octets
from simwarden.errors import ConfigError, Place
from simwarden.model.profile import find_written_use
from simwarden.policy.access_list import Destination, check_number
from simwarden.policy.need import Contract
from simwarden.scenario.yamlfile import unread

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LISTS = {"data": Destination.parse, "sms": check_number, "voice": check_number, "apns": str.lower}


def read_contracts(path: Path) -> Mapping[str, Contract]:
    """Read a file such as `smart-metering: {data: ["192.0.2.10:443"], sms: ["1069012"], apns: [meters], quota: 30 MB}`.

    Raises ConfigError.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8-sig"), yaml.CBaseLoader)  # noqa: S506 - all are texts
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", Place(str(path))) from error
    except (ValueError, yaml.YAMLError) as error:
        raise unread(error, str(path)) from error
    if not isinstance(data, dict):
        raise ConfigError("uses with what their contract names are expected", Place(str(path)))
    found = {}
    for name, said in data.items():
        use = find_written_use(str(name))
        try:
            if use is None:
                raise ValueError("no use is called so")  # noqa: TRY301 - told as all else that is wrong
            found[use.name] = _contract(said)
        except ValueError as error:
            raise ConfigError(f"{name}: {error}", Place(str(path))) from error
    return found


def _contract(said: Any) -> Contract:
    if not isinstance(said, dict) or set(said) - {*_LISTS, "quota"}:
        raise ValueError(f"a contract names {', '.join([*_LISTS, 'quota'])} and nothing else")
    lists: dict[str, tuple[Any, ...]] = {}
    for name, read in _LISTS.items():
        if name in said:
            if not isinstance(said[name], list) or not all(isinstance(each, str) for each in said[name]):
                raise ValueError(f"{name}: a list is expected")
            lists[name] = tuple(read(each) for each in said[name])
    return Contract(**lists, quota=octets(said["quota"]) if "quota" in said else None)
