"""simwarden: simulated elements of a mobile network that speak 3GPP protocols and enforce the rules for IoT SIM cards."""

__version__ = "0.1.0"
