"""of_sum: a program over x_0, x_1, x_2."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0)}
VARIABLES = {'s': (-192.0, 192.0)}


def step(x_0, x_1, x_2, state):
    s = x_0 + x_1 + x_2
    output = 2.0 + 1.0 * s - 2.0 * max(s + 1, 0) + 2.0 * max(s - 1, 0)
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
