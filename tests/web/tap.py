# SPDX-License-Identifier: GPL-2.0-or-later
"""tap - test points for prove; the first that fails ends the story."""

import sys

_n = 0


def check(what, holds, more=""):
    global _n
    _n += 1
    print(f"{'ok' if holds else 'not ok'} {_n} - {what}", flush=True)
    if more:
        print(f"# {more}", flush=True)
    if not holds:
        print(f"# not ok {_n} - {what} {more}", file=sys.stderr)
        sys.exit(1)


def end():
    print(f"1..{_n}")
