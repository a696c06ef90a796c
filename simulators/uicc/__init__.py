"""The card: a UICC with a USIM, its files, its keys and the interlock's applet."""
