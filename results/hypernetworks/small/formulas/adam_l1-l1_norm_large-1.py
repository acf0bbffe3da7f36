"""additive_shared: a program over x_0, x_1, x_2, x_3, x_4, x_5, x_6, x_7, x_8, x_9, x_10, x_11, x_12, x_13, x_14, x_15."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0), 'x_3': (-8.0, 8.0), 'x_4': (-8.0, 8.0), 'x_5': (-8.0, 8.0), 'x_6': (-8.0, 8.0), 'x_7': (-8.0, 8.0), 'x_8': (-8.0, 8.0), 'x_9': (-8.0, 8.0), 'x_10': (-8.0, 8.0), 'x_11': (-8.0, 8.0), 'x_12': (-8.0, 8.0), 'x_13': (-8.0, 8.0), 'x_14': (-8.0, 8.0), 'x_15': (-8.0, 8.0)}
VARIABLES = {}


def step(x_0, x_1, x_2, x_3, x_4, x_5, x_6, x_7, x_8, x_9, x_10, x_11, x_12, x_13, x_14, x_15, state):
    output = -4.858 - 0.42072 * (x_0 + x_1 + x_2 + x_3 + x_4 + x_5 + x_6 + x_7 + x_8 + x_9 + x_10 + x_11 + x_12 + x_13 + x_14 + x_15) - 0.089904 * (max(x_0 + 2, 0) + max(x_1 + 2, 0) + max(x_2 + 2, 0) + max(x_3 + 2, 0) + max(x_4 + 2, 0) + max(x_5 + 2, 0) + max(x_6 + 2, 0) + max(x_7 + 2, 0) + max(x_8 + 2, 0) + max(x_9 + 2, 0) + max(x_10 + 2, 0) + max(x_11 + 2, 0) + max(x_12 + 2, 0) + max(x_13 + 2, 0) + max(x_14 + 2, 0) + max(x_15 + 2, 0)) + 0.21086 * (max(x_0 + 1, 0) + max(x_1 + 1, 0) + max(x_2 + 1, 0) + max(x_3 + 1, 0) + max(x_4 + 1, 0) + max(x_5 + 1, 0) + max(x_6 + 1, 0) + max(x_7 + 1, 0) + max(x_8 + 1, 0) + max(x_9 + 1, 0) + max(x_10 + 1, 0) + max(x_11 + 1, 0) + max(x_12 + 1, 0) + max(x_13 + 1, 0) + max(x_14 + 1, 0) + max(x_15 + 1, 0)) + 0.59934 * (max(x_0, 0) + max(x_1, 0) + max(x_2, 0) + max(x_3, 0) + max(x_4, 0) + max(x_5, 0) + max(x_6, 0) + max(x_7, 0) + max(x_8, 0) + max(x_9, 0) + max(x_10, 0) + max(x_11, 0) + max(x_12, 0) + max(x_13, 0) + max(x_14, 0) + max(x_15, 0)) + 0.20842 * (max(x_0 - 1, 0) + max(x_1 - 1, 0) + max(x_2 - 1, 0) + max(x_3 - 1, 0) + max(x_4 - 1, 0) + max(x_5 - 1, 0) + max(x_6 - 1, 0) + max(x_7 - 1, 0) + max(x_8 - 1, 0) + max(x_9 - 1, 0) + max(x_10 - 1, 0) + max(x_11 - 1, 0) + max(x_12 - 1, 0) + max(x_13 - 1, 0) + max(x_14 - 1, 0) + max(x_15 - 1, 0)) - 0.088072 * (max(x_0 - 2, 0) + max(x_1 - 2, 0) + max(x_2 - 2, 0) + max(x_3 - 2, 0) + max(x_4 - 2, 0) + max(x_5 - 2, 0) + max(x_6 - 2, 0) + max(x_7 - 2, 0) + max(x_8 - 2, 0) + max(x_9 - 2, 0) + max(x_10 - 2, 0) + max(x_11 - 2, 0) + max(x_12 - 2, 0) + max(x_13 - 2, 0) + max(x_14 - 2, 0) + max(x_15 - 2, 0))
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
