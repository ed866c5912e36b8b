"""The time from a frame to an action of `pixelrl serve --policy RUN`: python latency.py PROGRAM RUN"""

import json
import subprocess
import sys
import time

import numpy

policy = subprocess.Popen([sys.argv[1], "serve", "--policy", sys.argv[2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
facts = json.loads(policy.stdout.readline())
frame = numpy.random.default_rng(0).integers(0, 255, facts["bytes"], numpy.uint8).tobytes()
times = []
for _ in range(2000):
    begun = time.perf_counter()
    policy.stdin.write(json.dumps({"op": "act", "bytes": len(frame)}).encode() + b"\n" + frame)
    policy.stdin.flush()
    policy.stdout.readline()
    times.append(1e3 * (time.perf_counter() - begun))
print(facts, numpy.percentile(times, [50, 99, 100]).round(2), "ms")
