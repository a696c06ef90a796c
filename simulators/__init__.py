"""The simulated elements of the network, one folder each. Elements never import each other: they talk bytes."""
