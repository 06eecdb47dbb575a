"""Real coding agents against the demo server: each is asked to write a file, and must have written it, and all that
the server was sent for it must have been legal.

`make agents` (TRAY=1: with the tray program on a virtual screen). No part of `make test`: it needs Node and the npm
registry.
"""
