"""Diameter in the event loop: a node with its connections, what servers share, and sessions of credit control."""

from simwarden.machine.diameter_shared import LocalNode, Timers
from simwarden.runtime.diameter.connection import Peer, Unreachable
from simwarden.runtime.diameter.node import DiameterNode, Handler

__all__ = ["DiameterNode", "Handler", "LocalNode", "Peer", "Timers", "Unreachable"]
