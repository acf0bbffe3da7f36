"""additive: a program over x_0, x_1, x_2, x_3."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0), 'x_3': (-8.0, 8.0)}
VARIABLES = {}


def step(x_0, x_1, x_2, x_3, state):
    output = -5.9876 - 1.494 * x_0 - 0.081266 * x_1 - 1.4842 * x_2 - 1.5846 * x_3 + 0.40729 * max(x_0 + 2, 0) + 0.68479 * max(x_0 + 1, 0) + 0.80244 * max(x_0, 0) + 0.69343 * max(x_0 - 1, 0) + 0.40184 * max(x_0 - 2, 0) - 0.071604 * max(x_1 + 2, 0) - 0.044929 * max(x_1 + 1, 0) + 0.35232 * max(x_1, 0) + 0.93286 * max(x_1 - 1, 0) + 0.89272 * max(x_1 - 2, 0) + 0.38998 * max(x_2 + 2, 0) + (0.68412 * max(x_2 + 1, 0) + 0.82439 * max(x_2, 0) + 0.66844 * max(x_2 - 1, 0) + 0.33922 * max(x_2 - 2, 0) + 0.4542 * max(x_3 + 2, 0) + 0.74659 * max(x_3 + 1, 0) + 0.81924 * max(x_3, 0) + 0.60923 * max(x_3 - 1, 0) + 0.31112 * max(x_3 - 2, 0))
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
