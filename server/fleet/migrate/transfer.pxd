"""Move something out of this process, with one owner at each moment. See transfer.py; compiled as it stands."""
