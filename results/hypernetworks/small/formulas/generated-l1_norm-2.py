"""additive_shared: a program over x_0, x_1, x_2, x_3, x_4, x_5, x_6, x_7."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0), 'x_3': (-8.0, 8.0), 'x_4': (-8.0, 8.0), 'x_5': (-8.0, 8.0), 'x_6': (-8.0, 8.0), 'x_7': (-8.0, 8.0)}
VARIABLES = {}


def step(x_0, x_1, x_2, x_3, x_4, x_5, x_6, x_7, state):
    output = -4.816 - 0.64412 * (x_0 + x_1 + x_2 + x_3 + x_4 + x_5 + x_6 + x_7) + 0.030837 * (max(x_0 + 2, 0) + max(x_1 + 2, 0) + max(x_2 + 2, 0) + max(x_3 + 2, 0) + max(x_4 + 2, 0) + max(x_5 + 2, 0) + max(x_6 + 2, 0) + max(x_7 + 2, 0)) + 0.11802 * (max(x_0 + 1, 0) + max(x_1 + 1, 0) + max(x_2 + 1, 0) + max(x_3 + 1, 0) + max(x_4 + 1, 0) + max(x_5 + 1, 0) + max(x_6 + 1, 0) + max(x_7 + 1, 0)) + 0.99378 * (max(x_0, 0) + max(x_1, 0) + max(x_2, 0) + max(x_3, 0) + max(x_4, 0) + max(x_5, 0) + max(x_6, 0) + max(x_7, 0)) + 0.14317 * (max(x_0 - 1, 0) + max(x_1 - 1, 0) + max(x_2 - 1, 0) + max(x_3 - 1, 0) + max(x_4 - 1, 0) + max(x_5 - 1, 0) + max(x_6 - 1, 0) + max(x_7 - 1, 0)) + 0.03335 * (max(x_0 - 2, 0) + max(x_1 - 2, 0) + max(x_2 - 2, 0) + max(x_3 - 2, 0) + max(x_4 - 2, 0) + max(x_5 - 2, 0) + max(x_6 - 2, 0) + max(x_7 - 2, 0))
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
