"""Every settled request as one row of SQLite under `stats/`: written in batches off the loop, read by statistics."""
