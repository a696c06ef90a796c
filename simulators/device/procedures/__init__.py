"""The procedures by the specification's names, one file each."""
