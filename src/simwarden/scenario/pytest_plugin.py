"""pytest collects scenario files; nothing heavy is imported before one is seen."""
