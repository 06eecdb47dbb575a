"""The pages of the window: widgets and wiring only."""
