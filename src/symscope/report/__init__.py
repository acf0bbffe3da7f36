"""Evidence as something to look at: the self-contained page of a run."""

from symscope.report.page import write_page

__all__ = ["write_page"]
