"""quadratic: a program over x_0, x_1."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0)}
VARIABLES = {}


def step(x_0, x_1, state):
    output = -0.45988 - 0.13425 * x_0 - 0.12409 * x_1 + 0.43148 * (x_0 * x_0) - 0.70914 * (x_0 * x_1) + 0.42595 * (x_1 * x_1)
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
