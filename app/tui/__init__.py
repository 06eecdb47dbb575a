"""The face in a terminal: a full screen to look on and to command by, and a guided menu. It visits, or hosts."""
