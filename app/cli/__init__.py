"""`proxy-cli`: everything the window does, for a person or a script at a terminal."""
