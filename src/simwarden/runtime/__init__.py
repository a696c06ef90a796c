"""State, sockets and clocks: event loop, transports, element host, management interface, stores."""
