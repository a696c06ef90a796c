"""The MME's procedures, a file each, by the names of TS 24.301, TS 36.413, TS 23.401 and TS 29.272."""
