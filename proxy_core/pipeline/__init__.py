"""The corridor itself: `corridor.py` top to bottom is what happens to a request."""
