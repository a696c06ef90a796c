"""For tests of elements, ours and yours: scripted neighbours, and a bench on which they stand (docs/testing.md)."""

from simwarden.testing.bench import Bench
from simwarden.testing.card import ScriptedCard, ScriptedCell, ScriptedListener, ScriptedTerminal
from simwarden.testing.diameter import ScriptedEir, ScriptedHss, ScriptedMme, ScriptedServer, ScriptedSmsc
from simwarden.testing.radio import ScriptedEnb, ScriptedPhone
from simwarden.testing.short_messages import ScriptedSmppSmsc

__all__ = [
    "Bench",
    "ScriptedCard",
    "ScriptedCell",
    "ScriptedEir",
    "ScriptedEnb",
    "ScriptedHss",
    "ScriptedListener",
    "ScriptedMme",
    "ScriptedPhone",
    "ScriptedServer",
    "ScriptedSmppSmsc",
    "ScriptedSmsc",
    "ScriptedTerminal",
]
