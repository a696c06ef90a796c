"""The connection-management platform: cards, terminals and pools by the operator's hand (guideline 2.1.3(1), 4.4)."""
