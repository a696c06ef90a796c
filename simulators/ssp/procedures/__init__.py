"""Procedures of MSC, VLR and GMSC, by the names of the specifications."""
