"""What stands in front of a page for a while and takes all keys."""
