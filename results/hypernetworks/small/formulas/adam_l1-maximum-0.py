"""read_out_each: a program over x_0, x_1."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0)}
VARIABLES = {'h_0': (-128.0, 128.0)}


def step(x_0, x_1, state):
    h_0 = max(-x_0 + x_1, 0)
    output = -0.65686 + 1.164 * h_0 + 1.1807 * x_0 + 0.018326 * x_1
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
