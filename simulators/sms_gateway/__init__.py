"""The business gateway for SMS: SMPP 3.4 and CMPP 2.0 for customers' platforms, SMPP 3.4 towards the SMSC."""
