"""Inside each element of ours imports run down one staircase, and no two files need each other."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from inside import ORDER, circles, climbs, imports_of, strangers
from own_elements import own_entry_points

#: the packages of our elements
ELEMENTS = sorted({each.module.rpartition(".")[0] for each in own_entry_points(group="simwarden.elements")})


def _folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations)))


@pytest.mark.parametrize("package", [*ELEMENTS, "simwarden.runtime", "simwarden.operations"])
def test_no_two_files_need_each_other(package: str) -> None:
    assert circles(imports_of(_folder(package), package)) == []


@pytest.mark.parametrize("package", ELEMENTS)
def test_files_of_an_element_keep_the_order(package: str) -> None:
    assert climbs(imports_of(_folder(package), package), package) == [], " > ".join(ORDER)


@pytest.mark.parametrize("package", ELEMENTS)
def test_elements_never_import_each_other(package: str) -> None:
    assert strangers(_folder(package), package, ELEMENTS) == [], "they talk bytes"


def test_what_a_foreign_element_does_wrong_is_found(tmp_path: Path) -> None:
    files = {
        "element.py": "from .parts.routes import Routes\nfrom foreign import contexts",
        "parts/__init__.py": "",
        "parts/routes.py": "from foreign.procedures import serve",
        "procedures.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from foreign.element import Foreign",
        "contexts.py": "def late():\n    import foreign.words",
        "words.py": "from foreign.procedures import serve\nfrom foreign import rules",
        "rules.py": "def late():\n    from .words import WORDS",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = imports_of(tmp_path, "foreign")
    assert strangers(tmp_path, "own", ["own", "foreign.procedures"]) == [
        "parts/routes.py > foreign.procedures",
        "words.py > foreign.procedures",
    ]
    assert climbs(found, "foreign") == ["foreign.contexts > foreign.words > foreign.procedures"]
    assert circles(found) == [
        "foreign.rules > foreign.words > foreign.rules",
        "foreign.words > foreign.rules > foreign.words",
    ]
