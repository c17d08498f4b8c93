import importlib
import os
import sys

from benchmarks.measure import machine

PARTS = ("extraction", "app", "persistence", "tas", "radar", "transfer", "gain", "sensitivity", "minima")

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    wanted = sys.argv[1:] or PARTS
    unknown = set(wanted) - set(PARTS)
    if unknown:
        sys.exit(f"No benchmark named {unknown.pop()!r}. There are: {', '.join(PARTS)}.")
    print(machine())
    for part in wanted:
        print(f"\n{part}")
        for row in importlib.import_module(f"benchmarks.{part}").rows():
            print(row.line(), flush=True)
