"""The Diameter applications, a module of data each: see `simwarden.wire.diameter.dictionary` for what one has."""
