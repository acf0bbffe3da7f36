"""A Ray cluster of three nodes on this machine, of which one dies in the middle of a sweep.

python tests/ray_cluster.py FOLDER      prints what became of it, as JSON
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

PATHS = os.pathsep.join([str(Path(__file__).parent), *sys.path[1:]])
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1", "PYTHONPATH": PATHS}

import ray
from ray.cluster_utils import Cluster

from small_stages import draw, power
from symscope.engines import on_ray
from symscope.evidence import SymscopeError
from symscope.sweep import cells, grid, place, run_sweep

JOBS, KILLED_AFTER = 100, 60


def main(folder: Path) -> None:
    """A sweep of 200 jobs, then one at the command line."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    node, _ = (cluster.add_node(num_cpus=1) for _ in range(2))
    stages, seeds = (draw, power), [str(seed) for seed in range(JOBS)]
    chosen = grid(stages, {"seed": seeds, "pause": ["0.05"]})
    found = []
    for cell in run_sweep(stages, chosen, folder / "sweep", on_ray(cluster.address)):
        found.append(cell.key)
        if len(found) == KILLED_AFTER:
            cluster.remove_node(node, allow_graceful=False)
    while (alive := sum(n["Alive"] for n in ray.nodes())) > 2 and found:
        time.sleep(0.2)  # it takes a while until the others know
    there = [place(folder / "sweep", c).exists() for each in cells(stages, chosen) for c in each]
    began = time.monotonic()
    again = list(run_sweep(stages, chosen, folder / "sweep", on_ray(cluster.address)))
    try:
        list(on_ray(cluster.address, gpus=1)([]))
        refused = ""
    except SymscopeError as error:
        refused = str(error)
    ray.shutdown()
    command = [sys.executable, "-m", "symscope", "sweep", "dictionaries", "--over", "seeds=0..1",
               "--over", "steps=5", "--over", "vectors=600", "--out", str(folder / "cli"),
               "--engine", "ray", "--address", cluster.address, "--json"]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True)
    cluster.shutdown()
    print(json.dumps({
        "nodes": alive, "jobs": len(there), "there": sum(there), "yielded": len(found),
        "different": len(set(found)), "again": len(again), "seconds": time.monotonic() - began,
        "refused": refused, "cli": [ran.returncode, ran.stdout, ran.stderr[-2000:]],
    }))  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
