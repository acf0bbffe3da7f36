"""Where independent jobs are done: processes of this machine, or a Ray cluster.

An engine is a function from jobs to outcomes, which come in any order. `run_jobs` is what all else
calls; it asks nothing of an engine but that.
"""

from symscope.engines.engine import Engine, Job, Outcome, run_jobs
from symscope.engines.local import local
from symscope.engines.named import ENGINES, engine_named
from symscope.engines.on_ray import on_ray

__all__ = ["ENGINES", "Engine", "Job", "Outcome", "engine_named", "local", "on_ray", "run_jobs"]
