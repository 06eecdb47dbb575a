"""What the program was told: one declaration, every source, one current value.

`schema` declares, `load` reads all sources, `store` holds the current value and saves changes, `servers` knows
servers.yaml, `legacy` what the older program of this name wrote.
"""
