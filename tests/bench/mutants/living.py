"""The code of functions that live in this process, given a changed source of theirs."""

from __future__ import annotations
import __future__

import ast
import builtins
import collections
import gc
import sys
import types
from typing import TYPE_CHECKING

from operators import Mutant, applied, recording

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def _keyed(code: types.CodeType) -> dict[tuple[str, int, int], types.CodeType]:
    """Return the code objects of a module by what a mutation leaves as it is: name, line, and which of those there."""
    found: dict[tuple[str, int, int], types.CodeType] = {}
    seen: collections.Counter[tuple[str, int]] = collections.Counter()
    waiting = [code]
    while waiting:
        each = waiting.pop()
        place = (each.co_qualname, each.co_firstlineno)
        found[*place, seen[place]] = each
        seen[place] += 1
        waiting += [inner for inner in each.co_consts if isinstance(inner, types.CodeType)]
    return found


class LivingCode:
    """Gives the living functions of modules the code of a changed source, and names of modules their new values."""

    def __init__(self, root: Path, files: Iterable[str]) -> None:
        self._root = root
        self._sources = {file: (root / file).read_text("utf-8") for file in files}
        self._living: dict[str, list[types.FunctionType]] = {file: [] for file in self._sources}
        paths = {str(self._root / file): file for file in self._sources}
        for each in gc.get_objects():
            if isinstance(each, types.FunctionType) and each.__code__.co_filename in paths:
                self._living[paths[each.__code__.co_filename]].append(each)
        self._places = {file: self._place(file) for file in self._sources}
        gc.freeze()  # pages of what is there already stay shared with the processes that are forked

    def _compile(self, file: str, tree: ast.Module) -> types.CodeType:
        flags = __future__.annotations.compiler_flag  # a statement alone has no import of it above
        return compile(ast.fix_missing_locations(tree), str(self._root / file), "exec", flags, dont_inherit=True)

    def _place(self, file: str) -> list[tuple[str, int, int]]:
        """Return the keys of a module's living functions."""
        codes = _keyed(self._compile(file, ast.parse(self._sources[file])))
        keys = {code: key for key, code in codes.items()}
        return [keys.get(each.__code__, (each.__qualname__, 0, 0)) for each in self._living[file]]

    def swap(self, file: str, tree: ast.Module) -> None:
        """Take the code of a changed tree. Raises ValueError where a function closes over other variables now."""
        codes = _keyed(self._compile(file, tree))
        for key, function in zip(self._places[file], self._living[file], strict=True):
            if key in codes:
                function.__code__ = codes[key]

    def assign(self, file: str, statement: ast.stmt) -> None:
        """Carry out an assignment of a module again; whoever has the old value, or defaults to it, gets the new one."""
        module = next(
            each for each in sys.modules.values() if getattr(each, "__file__", None) == str(self._root / file)
        )
        before = dict(vars(module))
        exec(self._compile(file, ast.Module([statement], [])), vars(module))  # noqa: S102 - it is the mutant
        changed = {name: value for name, value in vars(module).items() if before.get(name, value) is not value}
        for name, value in changed.items():
            keywords = [each.__kwdefaults__ for each in self._living[file] if each.__kwdefaults__]
            modules = [vars(each) for each in list(sys.modules.values()) if isinstance(each, types.ModuleType)]
            for place in modules + keywords:
                for key in [key for key, held in list(place.items()) if held is before[name]]:
                    place[key] = value

    def apply(self, mutant: Mutant) -> None:
        """Make a mutant in this process."""
        tree, statement = applied(mutant, self._sources[mutant.file])
        if mutant.scope:
            self.swap(mutant.file, tree)
        else:
            self.assign(mutant.file, statement)

    def record(self, mutants: list[Mutant]) -> set[int]:
        """Have all functions put the numbers of the mutants whose statements they reach into the set returned."""
        reached: set[int] = set()
        builtins.__reached__ = reached.update  # type: ignore[attr-defined]
        for file, source in self._sources.items():
            self.swap(file, recording(file, source, mutants))
        return reached
