"""The event broker: MQTT 3.1.1, QoS 0 and 1."""
