"""What a long agent session costs: passed through, edited naively, and by the proxy.

usage: python -m tests.bench.session
"""
