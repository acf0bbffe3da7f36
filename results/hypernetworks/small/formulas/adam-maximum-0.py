"""differences: a program over x_0, x_1."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0)}
VARIABLES = {'d_0_1': (-128.0, 128.0)}


def step(x_0, x_1, state):
    d_0_1 = abs(x_0 - x_1)
    output = -0.6821 + 0.60549 * x_0 + 0.6052 * x_1 + 0.60456 * d_0_1
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
