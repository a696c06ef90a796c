"""The outside world of calls: telephones of other networks, by SIP."""
