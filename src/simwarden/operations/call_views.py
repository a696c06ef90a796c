"""Names under which elements tell of calls that they have in common (`Element.views`)."""

from __future__ import annotations

from typing import Final

#: calls at terminals: the terminal of each, by MSC and terminal
TERMINAL_CALLS: Final = "calls at terminals"
#: dialogues about calls: the card of each, by gsmSSF and gsmSCF
CAP_DIALOGUES: Final = "CAP dialogues"
#: how names begin of calls on the trunk to an element, which follows
TRUNK_CALLS: Final = "trunk calls "
