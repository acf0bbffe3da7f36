"""The optional packages: which extra brings which, and what is said where one is not there."""

from importlib import import_module
from typing import Any

from symscope.evidence import SymscopeError

EXTRAS = {
    "report": {"plotly": "plotly", "jinja2": "jinja2"},
    "prove": {"z3": "z3-solver", "sympy": "sympy"},
    "extract": {"flint": "python-flint", "sympy": "sympy"},
    "automata": {"aalpy": "aalpy"},
    "hf": {"transformers": "transformers", "accelerate": "accelerate"},
    "cluster": {"ray": "ray"},
    "tables": {"pandas": "pandas", "pyarrow": "pyarrow", "duckdb": "duckdb"},
    "track": {"tensorboard": "tensorboard", "wandb": "wandb"},
}
"""Of each extra what is imported, and the package that brings it, as pip names it."""


def needed(module: str, what: str) -> Any:
    """The module of an optional package, such as "plotly.offline"; `what` is what needs it.

    Raises `SymscopeError` with what to type where the package is not there or cannot be loaded.
    """
    root = module.split(".")[0]
    extra = next(name for name, packages in EXTRAS.items() if root in packages)
    try:
        return import_module(module)
    except ImportError as error:
        gone = isinstance(error, ModuleNotFoundError) and error.name == root
        why = "is not installed" if gone else f"cannot be loaded ({error})"
        raise SymscopeError(
            f"{what} needs {EXTRAS[extra][root]}, which {why}: {line(extra)}"
        ) from None


def line(extra: str) -> str:
    """What to type to install an extra.

    >>> line("prove")
    "pip install 'symscope[prove]'"
    """
    return f"pip install 'symscope[{extra}]'"
