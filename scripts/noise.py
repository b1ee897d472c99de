"""What noise is made of: coins, geometric, Gaussian and Polya variables, drawn from a keystream.

Written from section 10 of docs/protocols.md, not from the Rust code: what both agree on is what the document says.
"""

from fractions import Fraction

from primitives import expect, keystream

BITS = 40
LEAST_VARIANCE = 4
BUFFER = 1 << 14


class Words:
    """Words of 64 bits of a seed's keystream, one after the other."""

    def __init__(self, seed):
        self.seed, self.at, self.data = seed, 0, b""

    def word(self):
        at = self.at % BUFFER
        if at == 0:
            self.data = keystream(self.seed, 0, self.at, BUFFER)
        self.at += 8
        return int.from_bytes(self.data[at:at + 8], "little")


def rounded_up(x):
    unit = Fraction(2) ** (BITS - (x.numerator // x.denominator).bit_length())
    return -(-x * unit // 1) / unit


# --- Coins ------------------------------------------------------------------------------------------------------

def below(words, n):
    length = (n - 1).bit_length()
    while True:
        drawn = [words.word() for _ in range((length + 63) // 64)]
        value = sum(word << 64 * i for i, word in enumerate(drawn)) % (1 << length)
        if value < n:
            return value


def flip(words, a, b):
    return below(words, b) < a


def small(words, a, b):
    k = 1
    while flip(words, a, b) and flip(words, 1, k):
        k += 1
    return k % 2 == 1


def exp(words, a, b):
    while a > b:
        if not small(words, 1, 1):
            return False
        a -= b
    return small(words, a, b)


def logistic(words, a, b):
    while True:
        if flip(words, 1, 2):
            return False
        if exp(words, a, b):
            return True


def count(coin):
    """How often a coin is true before it is false."""
    times = 0
    while coin():
        times += 1
    return times


# --- Variables --------------------------------------------------------------------------------------------------

def geometric(words, a, b):
    u = below(words, b)
    while not exp(words, u, b):
        u = below(words, b)
    return (b * count(lambda: small(words, 1, 1)) + u) // a


def laplace(words, a, b):
    while True:
        k = geometric(words, a, b)
        is_negative = flip(words, 1, 2)
        if k or not is_negative:
            return -k if is_negative else k


def gaussian(words, v):
    t = 1 << (v.numerator // v.denominator).bit_length() // 2
    p, q = (v / t).as_integer_ratio()
    while True:
        y = laplace(words, 1, t)
        if exp(words, (abs(y) * q - p) ** 2, 2 * t * p * q):
            return y


def accept(words, h, k):
    return all(flip(words, h * (i - 1) + 1, h * i) for i in range(1, k + 1))


def accepted(words, h, variable):
    while True:
        k = variable()
        if accept(words, h, k):
            return k


def polya(words, h, a, b):
    if h == 1:
        return geometric(words, a, b)
    total = 0
    while a < b:
        times = accepted(words, h, lambda: count(lambda: logistic(words, a, b)))
        total += sum(1 + geometric(words, 2 * a, b) for _ in range(times))
        a *= 2
    return total + accepted(words, h, lambda: geometric(words, a, b))


# --- Parts ------------------------------------------------------------------------------------------------------

def fraction(quantity):
    return Fraction(int(quantity["numerator"]), int(quantity["denominator"]))


def part(words, distribution, h):
    if "gaussian" in distribution:
        v = fraction(distribution["gaussian"]["variance"]) / h
        return gaussian(words, Fraction(LEAST_VARIANCE) if v <= LEAST_VARIANCE else rounded_up(v))
    b, a = rounded_up(fraction(distribution["laplace"]["scale"])).as_integer_ratio()
    return polya(words, h, a, b) - polya(words, h, a, b)


def check_noise(vector):
    words = Words(bytes.fromhex(vector["seed"]))
    draws = [part(words, vector["distribution"], vector["honest"]) for _ in vector["draws"]]
    expect(vector["draws"], [str(draw) for draw in draws])


CHECKS = {"noise.json": check_noise}
