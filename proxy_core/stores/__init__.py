"""What was paid for once and is kept: descriptions of pictures, summaries, learned ratios. Files, written atomically
and off the loop."""
