"""One room per wire language, all of the same plan; `base.py` is the plan, `table.py` the list of rooms.

Pure: no clock, no sockets, no async. Whatever comes from outside (ids, time, estimates) is an argument.
"""
