"""simwarden: simulated mobile-network elements that speak 3GPP protocols and enforce the rules for IoT SIM cards."""

__version__ = "0.1.0"
