"""The bench: our proxy, headless and in the tray program, beside a bare pass-through and the upstream itself.

`make bench` (QUICK=1 for a short run). Loopback only, bounded in count and time. What is measured stands in
`measures.py`, what is aimed at in `table.py`.
"""
