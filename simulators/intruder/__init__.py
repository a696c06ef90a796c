"""A node of nobody's network that speaks Diameter: what it may not do is what a scenario shows."""
