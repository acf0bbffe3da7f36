"""read_out_each: a program over x_0, x_1, x_2."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0)}
VARIABLES = {'h_0': (-192.0, 192.0), 'h_1': (-192.0, 192.0), 'h_2': (-192.0, 192.0)}


def step(x_0, x_1, x_2, state):
    h_0 = max(x_0 + x_1 - x_2 - 1, 0)
    h_1 = max(x_0 - x_1 + x_2 - 2, 0)
    h_2 = max(x_1 - x_2 - 1, 0)
    output = 0.24746 - 1.7494 * h_0 - 2.5308 * h_1 + 2.0161 * h_2 + 0.75636 * x_0 - 0.24464 * x_1 + 0.2501 * x_2
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
