"""quadratic: a program over x_0, x_1, x_2, x_3."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0), 'x_3': (-8.0, 8.0)}
VARIABLES = {}


def step(x_0, x_1, x_2, x_3, state):
    output = -1.1232 - 0.013489 * x_2 + 0.33341 * (x_0 * x_0) - 0.0059546 * (x_0 * x_1) - 0.0079442 * (x_0 * x_2) + 0.0010842 * (x_0 * x_3) + 0.33431 * (x_1 * x_1) - 0.0039583 * (x_1 * x_2) - 0.0029296 * (x_1 * x_3) + 0.12161 * (x_2 * x_2) + 0.33812 * (x_3 * x_3)
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
