"""Where the frozen `proxy-cli` begins."""

from app.cli.main import main

main()
