"""The procedures of an SGW, by the names of TS 29.274 7.2."""
