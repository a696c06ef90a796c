"""An external short message entity: who sends and gets messages by SMPP, as a script says."""
