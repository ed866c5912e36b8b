"""The peers' side of the lines that `Contender` speaks: see Sources/Contender."""

import sys
import time


def serve(iteration, operations=0):
    print(f"ready {operations}", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "end":
            break
        count = int(words[1])
        start = time.perf_counter()
        for _ in range(count):
            iteration()
        print(f"time {(time.perf_counter() - start) * 1e3 / count}", flush=True)
    print(f"end 0 0 {peak_memory()}", flush=True)


def peak_memory():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
