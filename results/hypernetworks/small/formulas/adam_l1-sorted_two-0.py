"""read_out: a program over x_0, x_1."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0)}
VARIABLES = {'s': (-128.0, 128.0)}


def step(x_0, x_1, state):
    s = x_0 + x_1
    output = (-0.00091677 + 0.57216 * s, -0.0012549 + 0.57249 * s)
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
