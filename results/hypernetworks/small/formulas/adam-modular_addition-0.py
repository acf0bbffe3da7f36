"""of_sum: a program over x_0, x_1."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0)}
VARIABLES = {'s': (-128.0, 128.0)}


def step(x_0, x_1, state):
    s = x_0 + x_1
    output = -1.2247 + 1.2247 * s - 3.6742 * max(s - 2, 0) + 3.6742 * max(s - 3, 0)
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
