"""What the formats are made of: fields, hashes, ciphers and signatures, in nothing but Python's standard library.

Written from the RFCs and from docs/test-vectors/README.md. Slow, and not constant-time: for checking, never for secrets.
"""

import hashlib
import hmac
import struct


class Difference(Exception):
    """A vector is not what its description says."""


def expect(published, computed):
    if published != computed:
        raise Difference(f"published {published}, computed {computed}")


# --- Fields -----------------------------------------------------------------------------------------------------

class Field:
    def __init__(self, name, modulus, bits, size):
        self.name, self.p, self.bits, self.size = name, modulus, bits, size

    def decode(self, data):
        """One canonical element, or None."""
        assert len(data) == self.size
        value = int.from_bytes(data, "little")
        return value if value < self.p else None

    def encode(self, value):
        return (value % self.p).to_bytes(self.size, "little")

    def parse(self, text):
        value = self.decode(bytes.fromhex(text))
        assert value is not None, f"{text} is not canonical in {self.name}"
        return value

    def text(self, value):
        return self.encode(value).hex()


FIELDS = {
    field.name: field
    for field in [
        Field("F61", 2**61 - 1, 61, 8),
        Field("F127", 2**127 - 1, 127, 16),
        Field("F256", 2**256 - 189, 256, 32),
        Field("F7", 7, 3, 1),
        Field("F31", 31, 5, 1),
    ]
}


def interpolate(field, points, at):
    """The value at `at` of the polynomial of lowest degree through `points`, a list of (x, y)."""
    total = 0
    for i, (xi, yi) in enumerate(points):
        numerator = denominator = 1
        for k, (xk, _) in enumerate(points):
            if k != i:
                numerator = numerator * (at - xk) % field.p
                denominator = denominator * (xi - xk) % field.p
        total += yi * numerator * pow(denominator, -1, field.p)
    return total % field.p


# --- Hash, key derivation, keystream ----------------------------------------------------------------------------

def number(value):
    return struct.pack("<Q", value)


def tagged(label, *parts):
    """SHA-256 of the label and the parts, each preceded by its length."""
    data = b"".join(number(len(part)) + part for part in (label.encode(), *parts))
    return hashlib.sha256(data).digest()


def hkdf_expand(key, info):
    """The first 32 bytes of HKDF-Expand (RFC 5869)."""
    return hmac.new(key, info + b"\x01", hashlib.sha256).digest()


def hkdf(secret, info):
    return hkdf_expand(hmac.new(bytes(32), secret, hashlib.sha256).digest(), info)


def chacha20_block(key, counter, nonce):
    """RFC 8439, section 2.3."""
    mask = 0xFFFFFFFF
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    work = state[:]

    def quarter(a, b, c, d):
        for x, y, z, shift in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            work[x] = (work[x] + work[y]) & mask
            mixed = work[z] ^ work[x]
            work[z] = (mixed << shift | mixed >> (32 - shift)) & mask

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<16I", *((a + b) & mask for a, b in zip(work, state)))


def keystream(key, word, first, length):
    """`length` bytes from byte `first` of the keystream with nonce words (0, 0, word)."""
    nonce = struct.pack("<3I", 0, 0, word)
    blocks = range(first // 64, (first + length + 63) // 64)
    data = b"".join(chacha20_block(key, counter, nonce) for counter in blocks)
    return data[first % 64:][:length]


def stream(field, seed, first, count):
    size = field.size
    raw = keystream(seed, 1, first * size, count * size)

    def element(i):
        data, word = raw[i * size:(i + 1) * size], 1
        while True:
            value = int.from_bytes(data, "little") & ((1 << field.bits) - 1)
            if value < field.p:
                return value
            word += 1
            data = keystream(seed, word, (first + i) * size, size)

    return [element(i) for i in range(count)]


# --- ChaCha20-Poly1305 (RFC 8439), as envelopes use it: nonce 0, no associated data ------------------------------

NONCE = bytes(12)


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for first in range(0, len(data), 16):
        total = (total + int.from_bytes(data[first:first + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def tag(key, sealed):
    padded = sealed + bytes(-len(sealed) % 16)
    return poly1305(chacha20_block(key, 0, NONCE)[:32], padded + number(0) + number(len(sealed)))


def xor_stream(key, data):
    blocks = (chacha20_block(key, counter, NONCE) for counter in range(1, 1 + (len(data) + 63) // 64))
    return bytes(a ^ b for a, b in zip(data, b"".join(blocks)))


def close(key, content):
    sealed = xor_stream(key, content)
    return sealed + tag(key, sealed)


def open_sealed(key, envelope):
    """The content, or None."""
    sealed, given = envelope[:-16], envelope[-16:]
    if len(envelope) < 16 or tag(key, sealed) != given:
        return None
    return xor_stream(key, sealed)


# --- Curve25519: X25519 (RFC 7748, section 5) and Ed25519 (RFC 8032, section 5.1) --------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def x25519(scalar, point):
    """The common secret of a secret and a public key; None if it is zero."""
    k = int.from_bytes(scalar, "little") & ~7 & (2**255 - 1) | 1 << 254
    x1 = (int.from_bytes(point, "little") & (2**255 - 1)) % P
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, aa, bb = d * a % P, c * b % P, a * a % P, b * b % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, (aa - bb) * (aa + 121665 * (aa - bb)) % P
    if swap:
        x2, z2 = x3, z3
    shared = (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")
    return None if shared == bytes(32) else shared


def x25519_public(scalar):
    return x25519(scalar, (9).to_bytes(32, "little"))


def add_points(p, q):
    """Extended coordinates (X, Y, Z, T)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add_points(total, point)
        point, scalar = add_points(point, point), scalar >> 1
    return total


def compress(point):
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decompress(data):
    """The point, or None."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def sha512_number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def ed25519_secret(seed):
    """The scalar and the prefix of a secret key."""
    digest = hashlib.sha512(seed).digest()
    return int.from_bytes(digest[:32], "little") & ~7 & (2**255 - 1) | 1 << 254, digest[32:]


def ed25519_public(seed):
    return compress(multiply(ed25519_secret(seed)[0], BASE))


def ed25519_sign(seed, message):
    scalar, prefix = ed25519_secret(seed)
    r = sha512_number(prefix, message) % ORDER
    start = compress(multiply(r, BASE))
    k = sha512_number(start, ed25519_public(seed), message)
    return start + ((r + k * scalar) % ORDER).to_bytes(32, "little")


def ed25519_verify(public, message, signature):
    """Strictly: no number of the order or more, no point of small order."""
    key, start = decompress(public), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or start is None or s >= ORDER or len(signature) != 64:
        return False
    if any(compress(multiply(8, point)) == compress((0, 1, 1, 0)) for point in (key, start)):
        return False
    k = sha512_number(signature[:32], public, message) % ORDER
    return compress(multiply(s, BASE)) == compress(add_points(start, multiply(k, key)))


def check_primitives():
    """The RFCs' own vectors, so that a mistake in a primitive is not looked for elsewhere."""
    # RFC 8439, sections 2.3.2 and 2.5.2.
    block = chacha20_block(bytes(range(32)), 1, bytes.fromhex("000000090000004a00000000"))
    assert block.hex().startswith("10f1e7e4d13b5915500fdd1fa32071c4")
    key = bytes.fromhex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
    assert poly1305(key, b"Cryptographic Forum Research Group").hex() == "a8061dc1305136c6c22b8baf0c0127a9"
    # RFC 7748, section 5.2.
    secret = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    public = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    assert x25519(secret, public).hex() == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    # RFC 8032, section 7.1, test 1.
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    signature = ed25519_sign(seed, b"")
    assert signature.hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
    assert ed25519_verify(ed25519_public(seed), b"", signature)
