"""quadratic: a program over x_0, x_1, x_2, x_3."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0), 'x_3': (-8.0, 8.0)}
VARIABLES = {}


def step(x_0, x_1, x_2, x_3, state):
    output = -1.3171 + 0.042638 * x_0 + 0.0094567 * x_1 + 0.007897 * x_2 + 0.072434 * x_3 + 0.33783 * (x_0 * x_0) + 0.075756 * (x_0 * x_1) + 0.0083551 * (x_0 * x_2) - 0.067932 * (x_0 * x_3) + 0.28398 * (x_1 * x_1) + 0.066964 * (x_1 * x_2) - 0.010113 * (x_1 * x_3) + 0.36696 * (x_2 * x_2) + 0.017327 * (x_2 * x_3) + 0.34421 * (x_3 * x_3)
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
