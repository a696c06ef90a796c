"""The bypass matrix: the same misuses against each method of restriction, alone and combined, service by service."""
