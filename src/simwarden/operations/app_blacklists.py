"""A user's file of people's apps, beside the lists that come with simwarden."""

from __future__ import annotations

from pathlib import Path

from simwarden.errors import ConfigError, Place
from simwarden.policy.app_blacklist_file import AppLists, shipped_lists


def load_app_lists(path: str) -> AppLists:
    """Return the shipped lists with those of a file beside them, for an empty path alone. Raises ConfigError."""
    if not path:
        return shipped_lists()
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", Place(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8: {error.reason} at octet {error.start}", Place(path)) from error
    return shipped_lists().read(text, path)
