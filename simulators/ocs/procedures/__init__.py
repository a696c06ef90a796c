"""The procedures of the OCS."""
