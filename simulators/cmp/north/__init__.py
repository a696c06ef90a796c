"""The platform's north side: the CAMARA API IoT SIM Fraud Prevention, for customers and for the operator's portals."""
