"""Whom the SSP asks and serves: HLR and EIR by MAP, the gsmSCF by CAP, terminals, and other networks by SIP."""
