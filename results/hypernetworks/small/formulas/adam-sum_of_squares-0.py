"""squares: a program over x_0, x_1, x_2, x_3."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0), 'x_3': (-8.0, 8.0)}
VARIABLES = {'q_0': (-256.0, 256.0), 'q_1': (-256.0, 256.0), 'q_2': (-256.0, 256.0), 'q_3': (-256.0, 256.0)}


def step(x_0, x_1, x_2, x_3, state):
    q_0 = x_0 * x_0
    q_1 = x_1 * x_1
    q_2 = x_2 * x_2
    q_3 = x_3 * x_3
    output = -1.405 + 0.35118 * (q_0 + q_1 + q_2 + q_3)
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
