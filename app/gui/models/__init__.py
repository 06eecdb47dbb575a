"""Qt models over frozen values, tested without a window."""
