"""What symscope refuses, and what fails while it computes; each with its exit code."""


class SymscopeError(Exception):
    """Anything symscope refuses; the message says what was asked, what there is, what to do."""

    exit_code = 2


class ClaimFailed(SymscopeError):
    """A claim failed its own check, for example a network below the accuracy gate."""

    exit_code = 1


class ComputationFailed(SymscopeError):
    """A computation failed (NaN, memory, time); the last good state is kept."""

    exit_code = 3
