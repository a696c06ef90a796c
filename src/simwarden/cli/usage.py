"""What is wrong with a command line, in our words: which argument, and what is expected there."""

from __future__ import annotations

import re
import sys
from typing import Any, Final

from typer.core import TyperGroup

from simwarden.cli.exits import complain

#: what a number is called by the kind of error that pydantic finds
_EXPECTED: Final = {"int": "a whole number", "float": "a number", "bool": "true or false"}
_LIMITS: Final = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}


class Commands(TyperGroup):
    """A group whose errors of usage are a line of ours; typer and click, by version, word and frame them otherwise."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Carry the command line out; end the process with its exit code unless that is not `standalone_mode`."""
        if not kwargs.get("standalone_mode", True):
            return super().main(*args, **kwargs)
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except Exception as error:
            # typer has its errors from click, or from a copy of it, by version
            if not hasattr(error, "format_message"):
                raise
            code = _tell(error)
        sys.exit(code)


def _tell(error: Any) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":  # it has printed the help
        return int(error.exit_code)
    command = " ".join(_command(error).split()[1:])
    complain(f"{command}: {told(error)}" if command else told(error))
    return int(error.exit_code)


def _command(error: Any) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context is not None else ""


def told(error: Any) -> str:
    """Return what is wrong, without the command's name; of an error of a kind that is not known its own words."""
    said = str(error.format_message())
    tellers = (_of_parameter, _of_option, _of_word)
    return next((text for teller in tellers if (text := teller(error, said))), said)


def _of_parameter(error: Any, _said: str) -> str:
    param = getattr(error, "param", None)
    if param is None:
        return ""
    if type(error).__name__ == "MissingParameter":
        return f"{_named(param)} is missing: {param.help}"
    return f"{_option(param)}: {_value(error)}"


def _of_option(error: Any, said: str) -> str:
    option = getattr(error, "option_name", "")
    if option and type(error).__name__ == "NoSuchOption":
        return _unknown("option", option, [each for one in error.ctx.command.params for each in one.opts])
    if option and "does not take" in said:
        return f"{option} takes no value"
    return f"{option} needs a value" if option else ""


def _of_word(error: Any, said: str) -> str:
    if (found := re.fullmatch(r"No such command '(.*?)'\..*", said)) and error.ctx is not None:
        return _unknown("command", found[1], error.ctx.command.commands)
    found = re.fullmatch(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", said)
    return f"{found[1]!r} is more than it takes" if found else ""


def _named(param: Any) -> str:
    """Return an option as `--config FILE`, an argument by its name alone."""
    metavar = param.metavar or param.name.upper()
    return f"{param.opts[0]} {metavar}" if param.opts[0].startswith("-") else metavar


def _option(param: Any) -> str:
    return str(param.opts[0]) if param.opts[0].startswith("-") else str(param.metavar or param.name.upper())


def _unknown(what: str, name: str, known: Any) -> str:
    from simwarden.scenario.problems import guess  # noqa: PLC0415 - nothing is wrong mostly

    hint = guess(name, known)
    return f"no {what} is called {name!r}" + (f" ({hint})" if hint else "")


def _value(error: Any) -> str:
    """Tell of a value that is not what its parameter may be."""
    found: list[Any] = getattr(error.__cause__, "errors", list)()
    if not found:
        return str(error.message)
    first = found[0]
    value, limits = first["input"], first.get("ctx", {})
    number = _EXPECTED.get(first["type"].partition("_")[0])
    bound = next((f"a number {word} {limits[key]}" for key, word in _LIMITS.items() if key in limits), None)
    words = re.findall(r"'(\w[\w-]*)'", str(first["msg"]).partition("is not one of")[2])
    expected = bound or number or (f"one of {', '.join(words)}" if words else "")
    return f"{expected} is expected, not {value!r}" if expected else str(first["msg"]).removeprefix("Value error, ")
