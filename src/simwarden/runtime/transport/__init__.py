"""How bytes travel: in memory, on TCP, UDP or SCTP sockets. All deliver in the order of sending."""
