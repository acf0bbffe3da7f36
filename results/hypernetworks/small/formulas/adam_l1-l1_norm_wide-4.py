"""absolute: a program over x_0, x_1, x_2, x_3, x_4, x_5, x_6, x_7."""

INPUTS = {'x_0': (-8.0, 8.0), 'x_1': (-8.0, 8.0), 'x_2': (-8.0, 8.0), 'x_3': (-8.0, 8.0), 'x_4': (-8.0, 8.0), 'x_5': (-8.0, 8.0), 'x_6': (-8.0, 8.0), 'x_7': (-8.0, 8.0)}
VARIABLES = {'a_0': (-512.0, 512.0), 'a_1': (-512.0, 512.0), 'a_2': (-512.0, 512.0), 'a_3': (-512.0, 512.0), 'a_4': (-512.0, 512.0), 'a_5': (-512.0, 512.0), 'a_6': (-512.0, 512.0), 'a_7': (-512.0, 512.0)}


def step(x_0, x_1, x_2, x_3, x_4, x_5, x_6, x_7, state):
    a_0 = abs(x_0)
    a_1 = abs(x_1)
    a_2 = abs(x_2)
    a_3 = abs(x_3)
    a_4 = abs(x_4)
    a_5 = abs(x_5)
    a_6 = abs(x_6)
    a_7 = abs(x_7)
    output = -3.6615 + 0.57343 * (a_0 + a_1 + a_2 + a_3 + a_4 + a_5 + a_6 + a_7)
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
