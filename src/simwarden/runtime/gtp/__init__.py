"""GTP in the event loop: `node` has GTP-C, `user` GTP-U, `config` the settings of an element that speaks it."""
