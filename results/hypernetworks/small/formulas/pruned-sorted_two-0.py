"""read_out_sides: a program over x_0, x_1."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0)}
VARIABLES = {'p_0': (-128.0, 128.0), 'm_0': (-128.0, 128.0), 'h_0': (-128.0, 128.0), 's': (-128.0, 128.0)}


def step(x_0, x_1, state):
    p_0 = max(x_0, 0)
    m_0 = max(-x_0, 0)
    h_0 = max(-x_1 + 0.5, 0)
    s = x_0 + x_1
    output = (0.83544 - 0.044207 * p_0 - 0.88042 * m_0 - 0.66503 * h_0 + 0.16805 * s, -0.7255 + 0.19562 * p_0 + 0.9441 * m_0 + 0.35474 * h_0 + 0.93252 * s)
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
