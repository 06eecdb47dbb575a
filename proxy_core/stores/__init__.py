"""What was paid for once and is kept: descriptions of pictures, summaries, learned ratios. Files, written atomically
and off the loop; over them, where several proxies work together, one Valkey or Redis server (`shared_*`)."""
