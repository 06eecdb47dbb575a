"""Counting tokens: pure, offline, deterministic. No clock, no network, no environment."""
