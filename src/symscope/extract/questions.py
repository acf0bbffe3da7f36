"""Where the states give no automaton, the answers may: the network is asked word by word."""

from symscope.evidence import SymscopeError
from symscope.extract.automaton import MOST_SYMBOLS, automaton
from symscope.extract.labelled import numbered
from symscope.extract.machine import Machine
from symscope.extract.rows import Candidate, Nothing, Regress, Rows
from symscope.extras import needed


def questioned(machine: Machine, rows: Rows, regress: Regress) -> Candidate | Nothing:
    """The automaton that the answers alone give, numbered as that of the states is."""
    if rows.y.shape[-1] > 1:
        return Nothing("several outputs, one is numbered")
    if len(machine.symbols) > MOST_SYMBOLS:
        return Nothing(f"{len(machine.symbols)} symbols, at most {MOST_SYMBOLS} are tried")
    if not isinstance(automaton(machine), Nothing):
        return Nothing("not asked: the states gave an automaton")
    try:
        needed("aalpy", "asking word by word")
    except SymscopeError as error:
        return Nothing(str(error))
    from symscope.extract.angluin import learned

    found = learned(machine, rows)
    if isinstance(found, Nothing):
        return found
    why = f"{len(found)} states, from the answers alone"
    program, table = numbered(machine, found, rows, regress)
    if program is None:
        return Nothing(f"{why}; no formula was found")
    return Candidate(program, "table" if table else "questions", why)
