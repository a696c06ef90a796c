"""What comes to an MME, on its way to a procedure."""
