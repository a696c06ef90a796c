"""Entries of lists that no gateway can enforce as they are written."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from simwarden.operations.data_lists import DataLists


@pytest.mark.parametrize("entry", ["ftp://198.51.100.80", "FTP://files.example/firmware"])
def test_an_ftp_entry_of_a_whitelist_is_an_error_that_names_what_works(entry: str) -> None:
    with pytest.raises(ValidationError, match=r"FTP opens data connections.*list tcp://HOST:21"):
        DataLists(whitelist=(entry,))
    assert DataLists(blacklist=(entry,)).blacklist == (entry,)
    assert DataLists(whitelist=("tcp://198.51.100.80:21", "tcp://198.51.100.80:50000-50009")).rules()
