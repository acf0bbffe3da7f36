"""quadratic: a program over x_0, x_1, x_2, x_3."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0), 'x_3': (-8.0, 8.0)}
VARIABLES = {}


def step(x_0, x_1, x_2, x_3, state):
    output = -1.2114 - 0.0077519 * x_0 - 0.051162 * x_1 - 0.02784 * x_2 + 0.032244 * x_3 + 0.32293 * (x_0 * x_0) + 0.19514 * (x_0 * x_1) + 0.023137 * (x_0 * x_2) + 0.029147 * (x_0 * x_3) + 0.23768 * (x_1 * x_1) - 0.046701 * (x_1 * x_2) + 0.018084 * (x_1 * x_3) + 0.28024 * (x_2 * x_2) + 0.058234 * (x_2 * x_3) + 0.34929 * (x_3 * x_3)
    return output, {}


def run(sequence):
    state, outputs = {}, []
    for item in sequence:
        output, state = step(*item, state)
        outputs.append(output)
    return outputs


if __name__ == "__main__":
    import sys

    print(run([tuple(map(int, text.split(","))) for text in sys.argv[1:]]))
