"""What is wrong with a user's file, collected so that all of it is told at once."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from simwarden.errors import ScenarioError
from simwarden.model.values import plain as plain  # noqa: PLC0414 - words of files are compared so everywhere

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simwarden.errors import Place, UserFileError


#: cases that an error of several cases names
_NAMED: Final = 3


class ScenarioErrors(ScenarioError):  # noqa: N818 - more than one
    """One or more errors of files; `problems` holds them in the order of a file."""

    def __init__(self, problems: Sequence[UserFileError]) -> None:
        first = problems[0]
        super().__init__(first.reason, first.place, first.hint)
        self.problems = problems
        self.args = ("\n".join(str(problem) for problem in problems),)

    def __reduce__(self) -> tuple[type[ScenarioErrors], tuple[Sequence[UserFileError]]]:
        return type(self), (self.problems,)


class CaseError(ScenarioError):
    """An error of one case of a file; `advice` is its hint without the name of the case."""

    def __init__(self, reason: str, place: Place | None, advice: str, case: str, where: str = "") -> None:
        super().__init__(reason, place, "; ".join(filter(None, (advice, where or f"in the case {case}"))))
        self.advice, self.case = advice, case


def flat(error: UserFileError) -> Sequence[UserFileError]:
    """Return the errors that an error stands for."""
    return error.problems if isinstance(error, ScenarioErrors) else [error]


class Problems:
    """A collector of errors.

    What only follows from another error is not told: a name that nothing has is told once, with the lines in which it
    stands again. Where a part that gives names cannot be read at all (`nameless`), none is told; where settings are
    wrong (`unset`), nothing of what only they could tell. What is wrong in one `case` of a file names that.
    """

    def __init__(self, case: str = "") -> None:
        self.found: list[UserFileError] = []
        self._case = case
        self.nameless = self.unset = False
        self._nobodies: dict[str, tuple[int, list[Place]]] = {}

    def add(self, reason: str, place: Place, hint: str = "") -> None:
        """Note an error at a place."""
        self.found.append(self._error(reason, place, hint))

    def _error(self, reason: str, place: Place | None, hint: str) -> ScenarioError:
        return CaseError(reason, place, hint, self._case) if self._case else ScenarioError(reason, place, hint)

    def unknown(self, what: str, name: str, known: Iterable[str], place: Place) -> None:
        """Note that a name is not one of those known, and guess which was meant."""
        self.add(f"{what} {name!r} is not known", place, guess(name, known))

    def nobody(self, name: str, reason: str, place: Place, hint: str = "") -> None:
        """Note that nothing has a name: once, with all lines that it stands in."""
        if self.nameless:
            return
        if name in self._nobodies:
            self._nobodies[name][1].append(place)
            return
        self._nobodies[name] = len(self.found), [place]
        self.add(reason, place, hint)

    def _with_lines(self) -> None:
        for place, (first, *others) in self._nobodies.values():
            lines = dict.fromkeys(str(each.line) for each in others if each.line != first.line)
            if lines:
                told = self.found[place]
                also = f"also in line{'s'[: len(lines) > 1]} {', '.join(lines)}"
                hint = told.advice if isinstance(told, CaseError) else told.hint
                self.found[place] = self._error(told.reason, told.place, "; ".join(filter(None, (hint, also))))
        self._nobodies.clear()

    def raise_if_any(self) -> None:
        """Raise what was found, in the file's order, each once."""
        self._with_lines()
        if self.found:
            unique = {str(problem): problem for problem in self.found}
            raise ScenarioErrors(sorted(unique.values(), key=_position))


def across_cases(errors: Iterable[UserFileError], cases: Sequence[str]) -> list[UserFileError]:
    """Return the errors of several `cases` of a file, each once.

    An error that all cases have names none of them, another one names up to `_NAMED` of its cases.
    """
    by_text: dict[tuple[str, str, Place | None], list[UserFileError]] = {}
    for error in errors:
        hint = error.advice if isinstance(error, CaseError) else error.hint
        by_text.setdefault((error.reason, hint, error.place), []).append(error)
    return sorted((_of_cases(same, cases) for same in by_text.values()), key=_position)


def _of_cases(errors: Sequence[UserFileError], cases: Sequence[str]) -> UserFileError:
    first = errors[0]
    names = list(dict.fromkeys(error.case for error in errors if isinstance(error, CaseError)))
    if not isinstance(first, CaseError) or len(names) == 1:
        return first
    if set(cases) <= set(names):
        return ScenarioError(first.reason, first.place, first.advice)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return CaseError(
        first.reason, first.place, first.advice, first.case, f"in the cases {', '.join(names[:_NAMED])}{more}"
    )


def _position(problem: UserFileError) -> tuple[str, int, int]:
    place = problem.place
    return (place.file, place.line, place.column) if place else ("", 0, 0)


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Return the known name that is most like `name`, and so much (1: the same), or an empty string."""
    by_plain = {plain(each): each for each in known}
    found = difflib.get_close_matches(plain(name), list(by_plain), n=1, cutoff=likeness)
    return by_plain[found[0]] if found else ""


def guess(name: str, known: Iterable[str], most: int = 12, likeness: float = 0.6) -> str:
    """Return a hint: `did you mean 'x'?`, or what is known where nothing is near, and these are no more than `most`."""
    names = list(dict.fromkeys(known))
    near = nearest(name, names, likeness)
    if near:
        return f"did you mean {near!r}?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= most else ""
