"""What flows show, packet by packet: connections are put together, names are read, answers of resolvers are kept."""
