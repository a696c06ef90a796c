"""The service control point, which orders what becomes of calls."""
