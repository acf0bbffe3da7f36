"""read_out: a program over x_0, x_1."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0)}
VARIABLES = {'h_0': (-128.0, 128.0), 'h_1': (-128.0, 128.0), 'h_2': (-128.0, 128.0), 's': (-128.0, 128.0)}


def step(x_0, x_1, state):
    h_0 = max(x_0 - x_1 + 1, 0)
    h_1 = max(x_0 - x_1, 0)
    h_2 = max(-x_0 + x_1, 0)
    s = x_0 + x_1
    output = -0.70528 + 0.011108 * h_0 + 0.61261 * (h_1 + h_2) + 0.6408 * s
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
