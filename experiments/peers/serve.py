"""The peers' side of the line protocol of `Workloads`: see Sources/Workloads."""

import sys
import time


# --clock processor is removed from the arguments here. CPU time of one thread does not depend on how busy the machine is.
now = time.perf_counter
if "--clock" in sys.argv:
    at = sys.argv.index("--clock")
    now = {"processor": time.process_time}[sys.argv[at + 1]]
    del sys.argv[at : at + 2]


def serve(iteration, operations=0):
    print(f"ready {operations}", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "end":
            break
        count = int(words[1])
        start = now()
        for _ in range(count):
            iteration()
        print(f"time {(now() - start) * 1e3 / count}", flush=True)
    print(f"end 0 0 {peak_memory()}", flush=True)


def peak_memory():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
