"""The fast way to run a network with one site edited, many times: from the edit onwards alone.

`downstream` picks what a network allows: `resume` goes on inside a recurrence (`recurrence` steps a
GRU by hand), `replay` runs on from a layer; hooks, the literal way, serve everything else.
"""
