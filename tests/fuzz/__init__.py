"""Fuzz parsers and structures by coverage and by cost: libFuzzer in a program that embeds CPython, over the modules that clang instrumented.

`make fuzz` runs all targets of `targets.py` (`campaign.py`). The program is `host.c`, its build `build.py`.
"""
