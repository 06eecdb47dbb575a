"""Out to the servers: the only place that opens connections."""
