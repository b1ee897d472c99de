#!/usr/bin/env python3
"""Recomputes docs/test-vectors/*.json from their description, with nothing but Python's standard library.

Written from docs/test-vectors/README.md, not from the Rust code: what both agree on is what the document says.
Usage: scripts/check-vectors.py [DIRECTORY]. Exit status 1 and the vector's name on the first difference.
"""

import itertools
import json
import pathlib
import struct
import sys

import mask_rounds
import masks
import noise
from primitives import (
    FIELDS, Difference, check_primitives, expect, hkdf, hkdf_expand, interpolate, keystream, number, stream, tagged,
)


# --- Splitting --------------------------------------------------------------------------------------------------

SEED, DATA = 0, 1


def helper_at(scheme, rot, k):
    return (rot + k) % scheme["helpers"] + 1


def kind_of(scheme, rot, helper):
    seeded = [helper_at(scheme, rot, k) for k in range(scheme["threshold"])]
    return SEED if helper in seeded else DATA


def commitment(study, helper, rot, rows, salt, piece):
    return tagged("quorate/1/piece", study, number(helper), number(rot), number(rows), salt, piece)


def contribution_id(study, commitments):
    return tagged("quorate/1/contribution", study, number(len(commitments)), *commitments)


def split(scheme, field, study, secret, position, rows, block):
    """rot, [(salt, encoded piece)] for helpers 1 to n."""
    n, t = scheme["helpers"], scheme["threshold"]
    encoded = b"".join(field.encode(cell) for cell in block)
    block_hash = tagged("quorate/1/block", field.name.encode(), number(rows), encoded)
    kind = {"shamir": 0, "additive": 1}[scheme["kind"]]
    info = b"quorate/1/contribution-key" + bytes([kind, n, t]) + study + number(position) + block_hash
    key = hkdf(secret, info)
    raw = keystream(key, 1, 0, 32 * (1 + n + t))
    grid = [raw[i:i + 32] for i in range(0, len(raw), 32)]
    rot = int.from_bytes(grid[0][:8], "little") % n
    salts, seeds = grid[1:n + 1], grid[n + 1:]

    pieces, known = {}, []
    for k, seed in enumerate(seeds):
        pieces[helper_at(scheme, rot, k)] = bytes([SEED]) + seed
        known.append((helper_at(scheme, rot, k), stream(field, seed, 0, len(block))))
    for k in range(t, n):
        helper, shares = helper_at(scheme, rot, k), []
        for i, cell in enumerate(block):
            if scheme["kind"] == "shamir":
                points = [(0, cell)] + [(x, values[i]) for x, values in known]
                shares.append(interpolate(field, points, helper))
            else:
                shares.append(cell - sum(values[i] for _, values in known))
        pieces[helper] = bytes([DATA]) + b"".join(field.encode(share) for share in shares)
    return rot, [(salts[helper - 1], pieces[helper]) for helper in range(1, n + 1)]


def verdict(vector):
    """What a helper says to one piece."""
    scheme, field, helper = vector["scheme"], FIELDS[vector["field"]], vector["helper"]
    piece, rot, rows = bytes.fromhex(vector["piece"]), vector["rot"], vector["rows"]
    if not piece or piece[0] > 1 or (piece[0] == SEED and len(piece) != 33):
        return "encoding"
    if not 1 <= helper <= scheme["helpers"]:
        return "helper"
    if rot >= scheme["helpers"]:
        return "rotation"
    if rows == 0:
        return "no rows"
    if piece[0] != kind_of(scheme, rot, helper):
        return "kind"
    if piece[0] == DATA:
        if len(piece) - 1 != rows * vector["columns"] * field.size:
            return "length"
        if any(field.decode(piece[i:i + field.size]) is None for i in range(1, len(piece), field.size)):
            return "non-canonical"
    return commitment_verdict(vector)


def commitment_verdict(vector):
    """What a helper says to the commitments, once the piece itself passed."""
    piece, salt, study = (bytes.fromhex(vector[name]) for name in ("piece", "salt", "study"))
    commitments = [bytes.fromhex(c) for c in vector["commitments"]]
    if len(commitments) != vector["scheme"]["helpers"]:
        return "commitment count"
    if contribution_id(study, commitments) != bytes.fromhex(vector["id"]):
        return "id"
    header = (vector["helper"], vector["rot"], vector["rows"])
    if commitment(study, *header, salt, piece) != commitments[vector["helper"] - 1]:
        return "commitment"
    return "good"


# --- Recombination ----------------------------------------------------------------------------------------------

def fits(field, points, t):
    """Whether points (helper, [share]) have degree at most t in every position."""
    base, rest = points[:t + 1], points[t + 1:]
    return all(
        interpolate(field, [(x, shares[i]) for x, shares in base], helper) == values[i]
        for helper, values in rest
        for i in range(len(values))
    )


def recombine(scheme, field, points):
    n, t = scheme["helpers"], scheme["threshold"]
    seen = set()
    for helper, shares in points:
        if not 1 <= helper <= n:
            return {"error": "unknown helper"}
        if helper in seen:
            return {"error": "duplicate helper"}
        if len(shares) != len(points[0][1]):
            return {"error": "length"}
        seen.add(helper)
    m = len(points)
    if m < t + 1:
        return {"error": "too few"}
    positions = range(len(points[0][1]))
    if scheme["kind"] == "additive":
        values = [sum(shares[i] for _, shares in points) for i in positions]
        return {"values": [field.text(v) for v in values], "redundancy": 0, "wrong": []}
    # Not Gao's algorithm, but its specification: leave out as few helpers as make the others fit.
    errors_max = (m - t - 1) // 2 if m >= 3 * t + 1 else 0
    for errors in range(errors_max + 1):
        for wrong in itertools.combinations(sorted(seen), errors):
            rest = [point for point in points if point[0] not in wrong]
            if fits(field, rest, t):
                at_zero = [interpolate(field, [(x, s[i]) for x, s in rest[:t + 1]], 0) for i in positions]
                values = [field.text(v) for v in at_zero]
                return {"values": values, "redundancy": m - t - 1, "wrong": list(wrong)}
    return {"error": "inconsistent"}


# --- Pseudo-random shares ---------------------------------------------------------------------------------------

PURPOSES = {"coin": 1, "degree mask": 2, "random": 3, "reshare": 4, "and": 5}


def check_prss(vector):
    scheme, session = vector["scheme"], bytes.fromhex(vector["session"])
    federation = bytes.fromhex(vector["federation"])
    n, t = scheme["helpers"], scheme["threshold"]
    sets = sorted(itertools.combinations(range(1, n + 1), t), key=lambda s: sum(1 << (j - 1) for j in s))
    expect([tuple(key["set"]) for key in vector["keys"]], sets)
    bound = {}
    for key in vector["keys"]:
        mask = number(sum(1 << (j - 1) for j in key["set"]))
        parts = [bytes([c["helper"]]) + bytes.fromhex(c["bytes"]) for c in key["contributions"]]
        secret = tagged("quorate/1/set-key", federation, mask, number(len(parts)), *parts)
        expect(key["key"], secret.hex())
        expect(key["fingerprint"], tagged("quorate/1/set-key-fingerprint", federation, mask, secret).hex())
        bound[tuple(key["set"])] = hkdf(secret, b"quorate/1/session" + session + mask)
    for draw in vector["draws"]:
        field = FIELDS[draw["field"]]
        code = bytes([PURPOSES[draw["purpose"]], draw["dealer"], draw["recipient"]])
        encoded = code + struct.pack("<II", draw["instruction"], draw["sub"])
        expect(draw["encoded"], encoded.hex())
        count = len(draw["shares"][0])
        for helper in range(1, n + 1):
            total = [0] * count
            for members in sets:
                if helper in members:
                    continue
                key = hkdf_expand(bound[members], b"quorate/1/draw" + encoded)
                weight = interpolate(field, [(0, 1)] + [(i, 0) for i in members], helper)
                values = stream(field, key, draw["first_row"], count)
                total = [a + weight * value for a, value in zip(total, values)]
            expect(draw["shares"][helper - 1], [field.text(value) for value in total])


# --- The files --------------------------------------------------------------------------------------------------

def check_stream(vector):
    field = FIELDS[vector["field"]]
    values = stream(field, bytes.fromhex(vector["seed"]), vector["first"], len(vector["elements"]))
    expect(vector["elements"], [field.text(value) for value in values])


def check_split(vector):
    scheme, field, study = vector["scheme"], FIELDS[vector["field"]], bytes.fromhex(vector["study"])
    block, rows = [field.parse(cell) for cell in vector["block"]], vector["rows"]
    expect(len(block), rows * vector["columns"])
    secret = bytes.fromhex(vector["secret"])
    rot, pieces = split(scheme, field, study, secret, vector["position"], rows, block)
    expect(vector["rot"], rot)
    computed = [
        {"helper": helper, "salt": salt.hex(), "piece": piece.hex()}
        for helper, (salt, piece) in enumerate(pieces, start=1)
    ]
    expect(vector["pieces"], computed)
    commitments = [
        commitment(study, helper, rot, rows, salt, piece)
        for helper, (salt, piece) in enumerate(pieces, start=1)
    ]
    expect(vector["commitments"], [c.hex() for c in commitments])
    expect(vector["id"], contribution_id(study, commitments).hex())


def check_piece(vector):
    expect(vector["verdict"], verdict(vector))
    expect(vector["name"].startswith("bad_"), vector["verdict"] != "good")
    # These are refused for the piece alone: its contributor committed to it properly.
    if vector["verdict"] in ("rotation", "no rows", "kind", "length", "non-canonical"):
        expect("good", commitment_verdict(vector))


def check_recombine(vector):
    field = FIELDS[vector["field"]]
    points = [(p["helper"], [field.parse(share) for share in p["shares"]]) for p in vector["points"]]
    answer = recombine(vector["scheme"], field, points)
    expect(vector["answer"], answer)
    expect(vector["name"].startswith("bad_"), "error" in answer)


CHECKS = {
    "stream.json": check_stream,
    "split.json": check_split,
    "piece.json": check_piece,
    "recombine.json": check_recombine,
    "prss.json": check_prss,
    **masks.CHECKS,
    **mask_rounds.CHECKS,
    **noise.CHECKS,
}


def main():
    check_primitives()
    here = pathlib.Path(__file__).resolve().parent.parent / "docs" / "test-vectors"
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    unknown = {path.name for path in directory.glob("*.json")} - set(CHECKS)
    if unknown:
        sys.exit(f"{', '.join(sorted(unknown))}: nothing here checks it")
    total = 0
    for name, check in CHECKS.items():
        vectors = json.loads((directory / name).read_text())
        for index, vector in enumerate(vectors):
            try:
                check(vector)
            except Difference as difference:
                sys.exit(f"{name}, vector {index} ({vector.get('name', 'unnamed')}): {difference}")
        total += len(vectors)
        print(f"{name}: {len(vectors)} vectors agree")
    if total == 0:
        sys.exit("no vectors")


if __name__ == "__main__":
    main()
