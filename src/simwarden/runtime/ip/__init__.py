"""TCP and TLS of user programs in the event loop, over whatever carries their packets."""
