"""Campaigns: something varied over many runs, a verdict, what has been reviewed of it, and a page."""
