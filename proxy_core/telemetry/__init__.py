"""Listens to events and keeps figures; nobody calls it."""
