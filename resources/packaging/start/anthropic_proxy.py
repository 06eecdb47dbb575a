"""Where the frozen `anthropic-proxy` begins."""

from app.__main__ import main

main()
