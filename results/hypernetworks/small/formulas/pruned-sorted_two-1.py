"""read_out: a program over x_0, x_1."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0)}
VARIABLES = {'h_0': (-128.0, 128.0), 'm_0': (-128.0, 128.0), 'h_1': (-128.0, 128.0)}


def step(x_0, x_1, state):
    h_0 = max(-x_0 + x_1, 0)
    m_0 = max(-x_0, 0)
    h_1 = max(-x_1 + 0.5, 0)
    output = (1.3118 - 0.67867 * h_0 - 0.3503 * m_0 - 1.1804 * h_1, -0.24616 + 1.1149 * h_0 - 1.4582 * m_0 + 0.012596 * h_1)
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
