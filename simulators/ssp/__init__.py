"""The SSP: MSC with VLR, and GMSC, with gsmSSF and gsmSRF."""
