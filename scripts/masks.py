"""What rounds of pairwise masks are made of: documents, sets, graphs, keys, envelopes, shares, words and masks.

Written from section 9 of docs/protocols.md, not from the Rust code: what both agree on is what the document says.
"""

import struct

from primitives import (
    FIELDS, close, ed25519_verify, expect, hkdf, interpolate, keystream, number, open_sealed, stream, tagged, x25519,
)

F61 = FIELDS["F61"]
LIMBS = [(0, 7), (7, 14), (14, 21), (21, 28), (28, 32)]


def word(value):
    return struct.pack("<I", value)


def text(data):
    """A byte string, as it travels."""
    return number(len(data)) + data


# --- Reading ----------------------------------------------------------------------------------------------------

class Malformed(Exception):
    pass


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Malformed
        self.at += count
        return self.data[self.at - count:self.at]

    def integer(self, size, signed=False):
        return int.from_bytes(self.take(size), "little", signed=signed)

    def variant(self, names):
        index = self.integer(4)
        if index >= len(names):
            raise Malformed
        return names[index]

    def text(self):
        return self.take(self.integer(8))

    def list(self, item):
        return [item(self) for _ in range(self.integer(8))]

    def end(self, value):
        if self.at != len(self.data):
            raise Malformed
        return value


def read_digest(reader):
    return reader.take(32).hex()


def read_signature(reader):
    signature = reader.text()
    if len(signature) != 64:
        raise Malformed
    return signature


# --- Documents --------------------------------------------------------------------------------------------------

def read_terms(document):
    reader, key = Reader(document), read_digest
    terms = {"number": reader.integer(8), "server": key(reader), "clients": reader.list(key)}
    variant = reader.variant(["Passive", "Active"])
    terms["variant"] = {"Passive": {"seed": key(reader)}} if variant == "Passive" else variant
    for name in ("neighbours", "threshold", "survivors_min"):
        terms[name] = reader.integer(4)
    terms["encoding"] = {
        "ring": reader.variant(["Mod32", "Mod64"]), "length": reader.integer(4), "fraction_bits": reader.integer(1),
        "bound": reader.integer(8, signed=True), "weight_max": reader.integer(4),
    }
    terms["model"] = key(reader)
    return reader.end(terms)


def judge_terms(terms):
    """The first thing that is wrong, or "good"."""
    n, k, t = len(terms["clients"]), terms["neighbours"], terms["threshold"]
    encoding = terms["encoding"]
    if not 3 <= n <= 16384:
        return "clients"
    if len(set(terms["clients"])) != n:
        return "twice"
    is_active = terms["variant"] == "Active"
    if k != n - 1 and not (2 <= k < n - 1 and (is_active or k % 2 == 0)):
        return "neighbours"
    if not k // 2 < t <= k:
        return "threshold"
    if not t < terms["survivors_min"] <= n:
        return "survivors"
    sum_max = n * max(1, encoding["weight_max"]) * encoding["bound"]
    is_sound = 1 <= encoding["length"] <= 2**20 and encoding["bound"] >= 1 and encoding["fraction_bits"] <= 52
    if not is_sound or sum_max >= 2 ** (bits(encoding) - 1):
        return "encoding"
    return "good"


def read_round(document):
    """The verdict, and the terms if they can be read."""
    if len(document) > 64 * 16384:
        return "document", None
    try:
        terms = read_terms(document)
    except Malformed:
        return "document", None
    return judge_terms(terms), terms


def round_id(document):
    return tagged("quorate/1/masks/round", document)


def check_round(vector):
    document = bytes.fromhex(vector["document"])
    verdict, terms = read_round(document)
    expect(vector["verdict"], verdict)
    expect(vector["name"].startswith("bad_"), verdict != "good")
    if verdict == "good":
        expect(vector["terms"], terms)
        expect(vector["id"], round_id(document).hex())


def read_set(data, clients):
    """The positions in a set, or None."""
    value = int.from_bytes(data, "little")
    if len(data) != (clients + 7) // 8 or value >> clients:
        return None
    return [position for position in range(clients) if value >> position & 1]


def write_set(positions, clients):
    return sum(1 << position for position in positions).to_bytes((clients + 7) // 8, "little")


def check_set(vector):
    positions = read_set(bytes.fromhex(vector["set"]), vector["clients"])
    expect(vector["verdict"], "set" if positions is None else "good")
    expect(vector["name"].startswith("bad_"), positions is None)
    if positions is not None:
        expect(vector["positions"], positions)
        expect(vector["count"], len(positions))
        expect(vector["set"], write_set(positions, vector["clients"]).hex())


# --- Graphs -----------------------------------------------------------------------------------------------------

def ring_holders(seed, position, k, n):
    order = sorted(range(n), key=lambda own: tagged("quorate/1/masks/ring", seed, number(own)))
    place = order.index(position)
    return sorted(order[(place + step) % n] for step in range(-k // 2, k // 2 + 1) if step)


def chosen_holders(seed, position, k, n):
    chosen, fair, first = set(), 2**64 - 1 - (2**64 - 1) % n, 0
    while len(chosen) < k:
        value = int.from_bytes(keystream(seed, 1, first, 8), "little")
        first += 8
        if value < fair and value % n != position:
            chosen.add(value % n)
    return sorted(chosen)


def check_graph(vector):
    seed, n, k = bytes.fromhex(vector["seed"]), vector["clients"], vector["neighbours"]
    if vector["kind"] == "ring":
        expect(vector["holders"], [ring_holders(seed, position, k, n) for position in range(n)])
    else:
        expect(vector["holders"], chosen_holders(seed, vector["position"], k, n))


# --- Keys, seeds, envelopes -------------------------------------------------------------------------------------

def pair_seed(shared, round, i, j):
    return hkdf(shared, b"quorate/1/masks/pair" + round + word(min(i, j)) + word(max(i, j)))


def envelope_key(shared, round, sender, receiver):
    return hkdf(shared, b"quorate/1/masks/seal" + round + word(sender) + word(receiver))


def self_seed(secret, round, own):
    return hkdf(secret, b"quorate/1/masks/self" + round + word(own))


def commitment(secret, round, own):
    return tagged("quorate/1/masks/commitment", round, number(own), secret)


def signed_digest(label, digest):
    return tagged("quorate/1/signature", label.encode(), digest)


def keys_digest(round, position, mask, seal, choice):
    statement = tagged("quorate/1/masks/keys", round, number(position), mask, seal, choice)
    return signed_digest("quorate/1/masks/keys", statement)


def survivors_digest(round, survivors):
    return signed_digest("quorate/1/masks/survivors", tagged("quorate/1/masks/survivors", round, survivors))


def read_keys(reader):
    return reader.integer(4), *(reader.take(32) for _ in range(3)), read_signature(reader)


def judge_keys(terms, round, keys):
    position, mask, seal, choice, signature = keys
    if position >= len(terms["clients"]):
        return "stranger"
    identity = bytes.fromhex(terms["clients"][position])
    is_signed = ed25519_verify(identity, keys_digest(round, position, mask, seal, choice), signature)
    return "good" if is_signed else "signature"


def check_key(vector):
    verdict = vector.get("verdict", "good")
    expect(vector["name"].startswith("bad_"), verdict != "good")
    if vector["kind"] == "keys":
        document = bytes.fromhex(vector["document"])
        reader = Reader(bytes.fromhex(vector["message"]))
        keys = reader.end(read_keys(reader))
        expect(verdict, judge_keys(read_terms(document), round_id(document), keys))
        return
    round, secret, own = bytes.fromhex(vector["round"]), bytes.fromhex(vector["secret"]), vector["own"]
    if vector["kind"] == "self":
        expect(vector["seed"], self_seed(secret, round, own).hex())
        expect(vector["commitment"], commitment(secret, round, own).hex())
        return
    other, shared = vector["other"], x25519(secret, bytes.fromhex(vector["public"]))
    if shared is None:
        expect(verdict, "key")
    elif vector["kind"] == "pair":
        expect(verdict, "good")
        expect(vector["seed"], pair_seed(shared, round, own, other).hex())
        sealed = close(envelope_key(shared, round, own, other), bytes.fromhex(vector["content"]))
        expect(vector["sealed"], sealed.hex())
    else:
        content = open_sealed(envelope_key(shared, round, other, own), bytes.fromhex(vector["sealed"]))
        expect(verdict, "closed" if content is None else "good")
        expect(vector["content"], content and content.hex())


# --- Shares of secrets ------------------------------------------------------------------------------------------

def share(secret, threshold, holders, seed):
    degree = threshold - 1
    elements = stream(F61, seed, 0, degree * len(LIMBS))
    shares = []
    for holder in holders:
        values = []
        for limb, (first, last) in enumerate(LIMBS):
            # The coefficients of x^degree down to x^1, then the secret's number.
            coefficients = [*elements[limb * degree:][:degree], int.from_bytes(secret[first:last], "little")]
            powers = range(degree, -1, -1)
            values.append(sum(c * (holder + 1) ** power for c, power in zip(coefficients, powers)) % F61.p)
        shares.append(b"".join(F61.encode(value) for value in values))
    return shares


def recover(shares):
    """The secret that shares (holder, bytes) are of, or None."""
    secret = b""
    for limb, (first, last) in enumerate(LIMBS):
        values = [(holder + 1, F61.decode(data[8 * limb:8 * limb + 8])) for holder, data in shares]
        if any(value is None for _, value in values):
            return None
        value = interpolate(F61, values, 0)
        if value >> 8 * (last - first):
            return None
        secret += value.to_bytes(last - first, "little")
    return secret


def check_share(vector):
    shares = [(share["holder"], bytes.fromhex(share["share"])) for share in vector["shares"]]
    if vector["kind"] == "recover":
        secret = recover(shares)
        expect(vector["secret"], secret and secret.hex())
        expect(vector["name"].startswith("bad_"), secret is None)
        return
    secret, seed, t = bytes.fromhex(vector["secret"]), bytes.fromhex(vector["seed"]), vector["threshold"]
    expect([data for _, data in shares], share(secret, t, [holder for holder, _ in shares], seed))
    expect(secret, recover(shares[:t]))
    expect(secret, recover(shares[-t:]))


# --- Words and masks --------------------------------------------------------------------------------------------

def bits(encoding):
    return {"Mod32": 32, "Mod64": 64}[encoding["ring"]]


def encode(encoding, numbers, weight):
    """The words of a vector; None if it is refused."""
    bound = encoding["bound"]
    if not (1 <= weight <= encoding["weight_max"] or (encoding["weight_max"] == 0 and weight == 1)):
        return None
    if "reals" in numbers:
        # A real number is of single precision.
        reals = [struct.unpack("<f", struct.pack("<f", x))[0] for x in numbers["reals"]]
        scaled = [round(x * 2 ** encoding["fraction_bits"]) for x in reals]
        values = [max(-bound, min(bound, x)) for x in scaled]
    else:
        values = numbers["integers"]
    if len(values) != encoding["length"] or any(abs(x) > bound for x in values):
        return None
    words = [x * weight % 2 ** bits(encoding) for x in values]
    return words + [weight] if encoding["weight_max"] else words


def write_words(words, size):
    return b"".join(value.to_bytes(size, "little") for value in words)


def read_words(data, size):
    return [int.from_bytes(data[i:i + size], "little") for i in range(0, len(data), size)]


def apply_mask(words, seed, sign, size):
    masks = read_words(keystream(seed, 1, 0, size * len(words)), size)
    return [(value + sign * mask) % 2 ** (8 * size) for value, mask in zip(words, masks)]


def check_word(vector):
    if vector["kind"] == "encode":
        words = encode(vector["encoding"], vector["input"], vector["weight"])
        expect(vector["words"], words and write_words(words, bits(vector["encoding"]) // 8).hex())
        expect(vector["name"].startswith("bad_"), words is None)
        return
    size = bits(vector) // 8
    words = read_words(bytes.fromhex(vector["words"]), size)
    for mask in vector["masks"]:
        words = apply_mask(words, bytes.fromhex(mask["seed"]), 1 if mask["sign"] == "+" else -1, size)
    expect(vector["masked"], write_words(words, size).hex())


CHECKS = {
    "masks-round.json": check_round,
    "masks-set.json": check_set,
    "masks-graph.json": check_graph,
    "masks-key.json": check_key,
    "masks-share.json": check_share,
    "masks-word.json": check_word,
}
