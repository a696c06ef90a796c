"""The MME: mobility management of LTE devices, and where terminal, card and subscription are checked."""
