"""additive_shared: a program over x_0, x_1, x_2, x_3."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0), 'x_3': (-8.0, 8.0)}
VARIABLES = {}


def step(x_0, x_1, x_2, x_3, state):
    output = -4.6788 - 1.0493 * (x_0 + x_1 + x_2 + x_3) + 0.11186 * (max(x_0 + 2, 0) + max(x_1 + 2, 0) + max(x_2 + 2, 0) + max(x_3 + 2, 0)) + 0.53254 * (max(x_0 + 1, 0) + max(x_1 + 1, 0) + max(x_2 + 1, 0) + max(x_3 + 1, 0)) + 0.80449 * (max(x_0, 0) + max(x_1, 0) + max(x_2, 0) + max(x_3, 0)) + 0.55369 * (max(x_0 - 1, 0) + max(x_1 - 1, 0) + max(x_2 - 1, 0) + max(x_3 - 1, 0)) + 0.11209 * (max(x_0 - 2, 0) + max(x_1 - 2, 0) + max(x_2 - 2, 0) + max(x_3 - 2, 0))
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
