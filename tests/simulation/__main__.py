"""``make simulate``."""

import argparse, sys, time
from tests.simulation.plan import drawn
from tests.simulation.simulation import Simulation

a = argparse.ArgumentParser()
a.add_argument("--seed", type=int, default=1)
a.add_argument("--seeds", type=int, default=20)
a.add_argument("--trace", action="store_true")
g = a.parse_args()
t = time.monotonic()
ans = 0
hours = 0.0
kinds = {}
for seed in range(g.seed, g.seed + g.seeds):
    s = Simulation(drawn(seed), whole_trace=g.trace)
    s.run()
    ans += s.tally["answers"]
    hours += (s.scheduler.now - 1.8e9) / 3600
    if g.trace:
        print("\n".join(s.scheduler.trace))
    for v in s.violations:
        k = "".join(c for c in v.what.split(":")[0] if not c.isdigit())[:60]
        kinds.setdefault(k, []).append((seed, v))
print(
    f"{g.seeds} seeds {hours:.1f} h {ans} answers {time.monotonic() - t:.1f} s  fp {s.scheduler.fingerprint}"
)
for k, v in sorted(kinds.items(), key=lambda e: -len(e[1])):
    print(len(v), k, "| seeds", [x[0] for x in v][:8], "|", v[0][1].what[:400])
