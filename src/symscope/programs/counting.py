"""Programs that answer N demo items with N response items, as Grant et al. (2025) write them.

Each has its own variables for the same behaviour, so that behaviour cannot tell them apart.
"""

from collections.abc import Mapping

from symscope.program import Program, Variable

ANY = -1
"""The output where no particular token is asked for: the demo phase goes on as it likes."""

Constants = Mapping[str, int | tuple[int, ...]]
MOST = 64
_TOKEN = (Variable("token", 0, 8),)
_PHASE = Variable("phase", 0, 1)
_PHASE_RULE = "1 if token in TRIGGER else phase"


def _counted(constants: Constants) -> tuple[str, str]:
    """When a demo item and when a response is counted: where both are one token, by phase."""
    demo = constants["DEMO"]
    assert isinstance(demo, tuple)
    if constants["R"] in demo:
        return "token in DEMO and phase == 0", "token == R and phase == 1"
    return "token in DEMO", "token == R"


def up_down(constants: Constants, at_demo: str = "count + 1", at_trigger: str = "") -> Program:
    """Count goes up by one per demo item and down by one per response; at 0 it ends.

    `at_demo` and `at_trigger` are the rules of variants that answer another number than N.
    """
    shown, answered = _counted(constants)
    turn = f"{at_trigger} if token in TRIGGER else " if at_trigger else ""
    return Program(
        "up_down",
        _TOKEN,
        (Variable("count", 0, MOST), _PHASE),
        {
            "count": f"{at_demo} if {shown} else count - 1 if {answered} else {turn}count",
            "phase": _PHASE_RULE,
        },
        "ANY if phase == 0 else EOS if count == 0 else R",
        start={"count": 0, "phase": 0},
        constants=constants,
    )


def up_up(constants: Constants) -> Program:
    """Demo items and responses are counted apart; when the counts meet it ends."""
    shown, answered = _counted(constants)
    return Program(
        "up_up",
        _TOKEN,
        (Variable("demo", 0, MOST), Variable("resp", 0, MOST), _PHASE),
        {
            "demo": f"demo + 1 if {shown} else demo",
            "resp": f"resp + 1 if {answered} else resp",
            "phase": _PHASE_RULE,
        },
        "ANY if phase == 0 else EOS if demo == resp else R",
        start={"demo": 0, "resp": 0, "phase": 0},
        constants=constants,
    )


def ctx_distr(constants: Constants) -> Program:
    """No state: at each step +1 per demo item and −1 per response are summed over the history."""
    answering = "total(token in TRIGGER) > 0"
    return Program(
        "ctx_distr",
        _TOKEN,
        (Variable("value", -1, 1),),
        {"value": f"-1 if token == R and {answering} else 1 if token in DEMO else 0"},
        f"ANY if not {answering} else EOS if total(value) == 0 else R",
        constants=constants,
    )


def progress(constants: Constants) -> Program:
    """Demo items are counted; the answer then fills a bar of 20 in steps of 20 / count."""
    shown, answered = _counted(constants)
    return Program(
        "progress",
        _TOKEN,
        (Variable("progress", 0, MOST, "real"), Variable("increment", 0, 1, "real"), _PHASE),
        {
            "progress": f"progress + 1 if {shown} else 0 if token in TRIGGER else "
            f"progress + 20 * increment if {answered} else progress",
            "increment": "1 / max(progress, 1) if token in TRIGGER else increment",
            "phase": _PHASE_RULE,
        },
        "ANY if phase == 0 else EOS if progress >= 20 - 1 / 40 else R",
        start={"progress": 0, "increment": 0, "phase": 0},
        constants=constants,
    )


def asked(constants: Constants) -> Program:
    """1 from the trigger on, where a particular token is asked for, else 0."""
    return Program("asked", _TOKEN, (_PHASE,), {"phase": _PHASE_RULE}, "phase",
                   start={"phase": 0}, constants=constants)  # fmt: skip


def legal(constants: Constants, at_demo: str = "left + 1", at_trigger: str = "left") -> Program:
    """1 on BOS, one item or more, the trigger and as many responses as Up-Down asks for, else 0.

    `part` is 0 before BOS, 1 after it, 2 while items are shown, 3 while they are answered, and 4
    off the grammar; `left` is how many responses are still to come.
    """
    shown, answer = "part in (1, 2) and token in DEMO", "part == 3 and token == R and left > 0"
    turn = "part == 2 and token in TRIGGER"
    return Program(
        "legal",
        _TOKEN,
        (Variable("part", 0, 4), Variable("left", 0, MOST)),
        {
            "part": f"1 if part == 0 and token == BOS else 2 if {shown} else 3 if {turn} or"
            f" {answer} else 4",
            "left": f"{at_demo} if {shown} else left - 1 if {answer} else {at_trigger} if {turn}"
            " else left",
        },
        "part in (1, 2, 3)",
        start={"part": 0, "left": 0},
        constants=constants,
    )
