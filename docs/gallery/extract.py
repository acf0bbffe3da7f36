# %% [markdown]
# # Which program?
#
# *A recurrent network adds its inputs modulo 3. By which rule, and is it that rule always?*
#
# Eight copies are trained side by side for some seconds, and the best is kept. It has to be right
# on every sequence of the trained length.

# %%
from symscope import Domain, Program, equivalent
from symscope.extract import extract, machine_of
from symscope.tasks import algorithm
from symscope.train_copies import Plan, train_copies, untrained_copy

STEPS, SECONDS = 2000, 10
task = algorithm("add_mod_3")
module, accuracy = train_copies(task, 3, (8, 2), plan=Plan(steps=STEPS, cool=300))
print(accuracy)

# %% [markdown]
# The extractor asks the network for answers, and steps it through its states. It knows nothing of
# the task. Each route looks for one kind of program, and the shortest of those that answer as the
# network does is chosen. Then the program is compared with the task's rule.

# %%
inputs = task.program.inputs
found = extract(machine_of(module, inputs, task.length), seconds=SECONDS)
program = found.chosen.program
print(*(f"{route}: {what}" for route, what in found.tried.items()), sep="\n")
print(*(f"{name} = {rule}" for name, rule in program.rules.items()), sep="\n")
print(equivalent(program, task.program, Domain(inputs)))

# %% [markdown]
# The control is a network that was never trained: what comes out there, if anything, must not be
# the rule. A second one is the rule of another task, which the prover must tell apart.

# %%
untrained = machine_of(untrained_copy(task, 3, (8, 2)), inputs, task.length)
nothing = extract(untrained, seconds=SECONDS).chosen
print(nothing and equivalent(nothing.program, task.program, Domain(inputs)))
print(equivalent(program, Program("sum", inputs, (), {}, "total(x) % 2"), Domain(inputs)))

# %% [markdown]
# ## What could be wrong
#
# - The proof is between two programs. That the *network* is the program was seen on sequences that
#   were asked, of the trained length; a network may go astray on longer ones.
# - Its states may hold something else that has no say in the answers. [Alignment](align.md) tests
#   whether the program's variable is in them.
# - A network that is right by a table of all inputs gives a table, which explains nothing: [the
#   study](../studies/programs.md).

# %%
from IPython.display import SVG

from symscope.report.automaton_picture import automaton_picture
from symscope.report.drawing import standalone
from symscope.report.state_graph import program_graph

SVG(standalone(automaton_picture(program_graph(program))))
