"""Extraction in a process in which the tasks and their rules cannot be imported."""

import subprocess
import sys

from by_hand import parity
from symscope.extract import extract, machine_of
from symscope.models.load import save_network
from symscope.program import Variable
from symscope.programs.printing import python_source

CHILD = """
import sys
sys.modules["symscope.tasks"] = None  # any import of it fails from here on
try:
    import symscope.tasks.algorithms
except ImportError:
    pass
else:
    sys.exit("the rules are there")

from pathlib import Path
from symscope.extract import extract, machine_of
from symscope.models.load import load_network
from symscope.program import Variable
from symscope.programs.printing import python_source

module, _ = load_network(Path(sys.argv[1]))
found = extract(machine_of(module, (Variable("x", 0, 1),), 10), seconds=1.0)
print(python_source(found.chosen.program), end="")
"""


def test_without_the_rules_the_same_program_comes_out(tmp_path):
    module = parity().float()
    form = {"architecture": "real_mlp", "inputs": 1, "width": 1, "outputs": 1, "f": (2, 2)}
    save_network(tmp_path / "network.safetensors", module, form)
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "network.safetensors")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = extract(machine_of(module, (Variable("x", 0, 1),), 10), seconds=1.0)
    assert found.chosen is not None and ran.stdout == python_source(found.chosen.program)
