"""The pages of the full screen, one a module."""
