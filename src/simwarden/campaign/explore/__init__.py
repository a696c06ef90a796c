"""Every change at every message: stories repeated with one thing put in before each of their frames, and judged."""
