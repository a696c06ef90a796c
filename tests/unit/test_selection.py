"""The tests that CI chooses for a change."""

from __future__ import annotations

from pathlib import Path

import pytest
import selection
import size

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("test", "changed", "touched"),
    [
        ("tests/interop/test_sctp.py", ["tests/interop/test_sctp.py"], True),
        ("tests/unit/simulators/hss/test_hss.py", ["simulators/hss/core.py"], True),
        ("tests/unit/simulators/hss/test_hss.py", ["simulators/eir/core.py"], False),
        ("tests/unit/docs/test_shown.py", ["docs/prove.md"], True),
        ("tests/unit/docs/test_shown.py", ["tests/support/shown.py"], True),  # imports the helper itself
        ("tests/interop/test_foreign_pgw.py", ["src/simwarden/trace/ladder.py"], False),
        ("tests/interop/test_sctp.py", ["README.md"], False),
    ],
)
def test_slow_tests_of_what_a_change_touches(test: str, changed: list[str], *, touched: bool) -> None:
    assert selection.is_touched(test, changed) is touched


def test_a_change_of_most_packages_touches_only_test_files_that_changed() -> None:
    elements = ("hss", "eir", "mme", "cmp", "sgw", "pgw", "ocs", "scp", "ssp")
    wide = [f"simulators/{name}/core.py" for name in elements] + ["tests/interop/test_sctp.py"]
    assert selection.is_touched("tests/interop/test_sctp.py", wide)
    assert not selection.is_touched("tests/unit/simulators/hss/test_hss.py", wide)
    assert selection.is_touched("tests/unit/simulators/hss/test_hss.py", wide[:8])


def test_a_module_imported_by_a_helper_touches_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests" / "support").mkdir(parents=True)
    (tmp_path / "tests" / "support" / "lab.py").write_text("from simwarden.wire import gtpu, ip\n")
    (tmp_path / "test_it.py").write_text("import lab\n")
    monkeypatch.setattr(selection, "ROOT", tmp_path)
    assert selection.is_touched("test_it.py", ["src/simwarden/wire/ip/__init__.py"])
    assert not selection.is_touched("test_it.py", ["src/simwarden/wire/nas/__init__.py"])


def test_every_entry_of_the_smoke_set_is_a_test_file() -> None:
    assert [entry for entry in selection.smoke_set() if not (ROOT / entry.split("::")[0]).is_file()] == []


def test_code_lines_leave_out_docstrings_comments_and_blank_lines() -> None:
    source = (
        '"""Doc."""\n\nimport os  # why\n\n# no\nclass A:\n    """Doc\n    two."""\n    x: int = 1\n    """Doc."""\n'
    )
    assert size.code_lines(source) == 3
    assert size.text_lines("a: 1\n\n# no\n  # no\nb: 2\n", "#") == 2
