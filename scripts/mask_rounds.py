"""Whole rounds of pairwise masks, message by message, and what a client says to a server that lies to it.

Written from section 9 of docs/protocols.md, not from the Rust code.
"""

from masks import (
    Malformed, Reader, apply_mask, bits, chosen_holders, commitment, encode, envelope_key, judge_keys, keys_digest,
    pair_seed, read_keys, read_round, read_set, read_signature, read_words, recover, ring_holders, round_id, self_seed,
    share, survivors_digest, text, word, write_set, write_words,
)
from primitives import (
    close, ed25519_public, ed25519_sign, ed25519_verify, expect, number, open_sealed, x25519, x25519_public,
)


class Refused(Exception):
    """What a client says to a server's message."""


class Round:
    def __init__(self, document):
        verdict, self.terms = read_round(document)
        expect("good", verdict)
        self.id, self.n = round_id(document), len(self.terms["clients"])
        self.k, self.t = self.terms["neighbours"], self.terms["threshold"]
        self.is_active, self.is_complete = self.terms["variant"] == "Active", self.k == self.n - 1

    def holders(self, own, choice):
        if self.is_complete:
            return [other for other in range(self.n) if other != own]
        if self.is_active:
            return chosen_holders(choice, own, self.k, self.n)
        return ring_holders(bytes.fromhex(self.terms["variant"]["Passive"]["seed"]), own, self.k, self.n)

    def chosen_by_max(self):
        if self.is_complete or self.is_active:
            return min(3 * self.k + 40, self.n - 1)
        return self.k


class Client:
    """One client: a function for each message that it sends, and one for each that it hears."""

    def __init__(self, round, own, drawn):
        self.round, self.own, self.drawn = round, own, drawn
        self.identity, self.mask, self.seal, self.choice, self.secret = (
            bytes.fromhex(drawn[name]) for name in ("identity", "mask", "seal", "choice", "self")
        )
        expect(round.terms["clients"][own], ed25519_public(self.identity).hex())

    def signed_keys(self):
        public = x25519_public(self.mask), x25519_public(self.seal)
        digest = keys_digest(self.round.id, self.own, *public, self.choice)
        return word(self.own) + b"".join(public) + self.choice + text(ed25519_sign(self.identity, digest))

    def hear_keys(self, reader):
        listed = reader.end(reader.list(read_keys))
        self.in_order([keys[0] for keys in listed], refused={self.own})
        mine = self.round.holders(self.own, self.choice)
        neighbours = {}
        for keys in listed:
            position, mask, seal, choice, _ = keys
            verdict = judge_keys(self.round.terms, self.round.id, keys)
            if verdict != "good":
                raise Refused(verdict)
            is_holder, is_kept = position in mine, self.own in self.round.holders(position, choice)
            if not is_holder and not is_kept:
                raise Refused("server")
            shared = x25519(self.seal, seal)
            if shared is None:
                raise Refused("key")
            neighbours[position] = {"mask": mask, "shared": shared, "is_holder": is_holder, "is_kept": is_kept}
        if sum(known["is_kept"] for known in neighbours.values()) > self.round.chosen_by_max():
            raise Refused("server")
        self.neighbours, self.chosen = neighbours, mine
        self.company(known["is_holder"] for known in neighbours.values())

    def sealed_shares(self):
        holders = [position for position, known in self.neighbours.items() if known["is_holder"]]
        dealt = [
            share(secret, self.round.t, holders, bytes.fromhex(self.drawn[seed]))
            for secret, seed in ((self.secret, "self_polynomials"), (self.mask, "mask_polynomials"))
        ]
        message = word(1) + commitment(self.secret, self.round.id, self.own) + number(len(holders))
        for holder, one, other in zip(holders, *dealt):
            key = envelope_key(self.neighbours[holder]["shared"], self.round.id, self.own, holder)
            message += word(holder) + text(close(key, one + other))
        return message

    def hear_deliveries(self, reader):
        def delivery(reader):
            neighbour, there = reader.integer(4), reader.integer(1)
            if there > 1:
                raise Malformed
            return neighbour, reader.text() if there else None

        listed = reader.end(reader.list(delivery))
        self.in_order([neighbour for neighbour, _ in listed])
        if any(neighbour not in self.neighbours for neighbour, _ in listed):
            raise Refused("server")
        self.company(self.neighbours[neighbour]["is_holder"] for neighbour, _ in listed)
        if any(self.neighbours[neighbour]["is_kept"] != (sealed is not None) for neighbour, sealed in listed):
            raise Refused("server")
        self.shares = {}
        for neighbour, sealed in listed:
            key = envelope_key(self.neighbours[neighbour]["shared"], self.round.id, neighbour, self.own)
            content = sealed and open_sealed(key, sealed)
            if content and len(content) == 80:
                self.shares[neighbour] = content[:40], content[40:]
        self.known = [neighbour for neighbour, _ in listed]
        self.silent = (set(self.neighbours) | set(self.chosen)) - set(self.known)

    def masked(self):
        encoding = self.round.terms["encoding"]
        size = bits(encoding) // 8
        words = encode(encoding, {"integers": self.drawn["numbers"]}, self.drawn["weight"])
        for other in self.known:
            seed = pair_seed(x25519(self.mask, self.neighbours[other]["mask"]), self.round.id, self.own, other)
            words = apply_mask(words, seed, 1 if self.own < other else -1, size)
        words = apply_mask(words, self_seed(self.secret, self.round.id, self.own), 1, size)
        return word(2) + text(write_words(words, size))

    def hear_survivors(self, reader):
        data = reader.end(reader.text())
        survivors = read_set(data, self.round.n)
        is_sound = survivors is not None and self.own in survivors
        if not is_sound or len(survivors) < self.round.terms["survivors_min"] or self.silent & set(survivors):
            raise Refused("server")
        self.survivors = set(survivors)
        self.company(self.neighbours[known]["is_holder"] and known in survivors for known in self.known)

    def agreement(self):
        survivors = write_set(self.survivors, self.round.n)
        return ed25519_sign(self.identity, survivors_digest(self.round.id, survivors))

    def hear_agreements(self, reader):
        listed = reader.end(reader.list(lambda reader: (reader.integer(4), read_signature(reader))))
        self.in_order([position for position, _ in listed])
        for position, _ in listed:
            is_holder = position in self.known and self.neighbours[position]["is_holder"]
            if not is_holder or position not in self.survivors:
                raise Refused("server")
        digest = survivors_digest(self.round.id, write_set(self.survivors, self.round.n))
        for position, signature in listed:
            if not ed25519_verify(bytes.fromhex(self.round.terms["clients"][position]), digest, signature):
                raise Refused("signature")
        self.company(True for _ in listed)

    def given(self):
        message = word(4) + number(len(self.shares))
        for of, (self_mask, mask_key) in self.shares.items():
            message += word(of) + text(self_mask if of in self.survivors else mask_key)
        return message

    def in_order(self, positions, refused=frozenset()):
        if positions != sorted(set(positions)) or refused & set(positions):
            raise Refused("server")

    def company(self, holders):
        if sum(holders) < self.round.t:
            raise Refused("lonely")

    def hear(self, message):
        reader = Reader(message)
        hears = [self.hear_keys, self.hear_deliveries, self.hear_survivors, self.hear_agreements]
        try:
            reader.variant(hears)(reader)
        except Malformed:
            raise Refused("encoding") from None


class Play:
    """A round as its vector publishes it: every message is recomputed where it is sent."""

    def __init__(self, vector):
        self.round = Round(bytes.fromhex(vector["document"]))
        self.messages, self.next = vector["messages"], 0
        self.clients = [Client(self.round, own, drawn) for own, drawn in enumerate(vector["clients"])]
        self.survivors = vector["survivors"]

    def message(self, direction, party, computed):
        published = self.messages[self.next]
        self.next += 1
        expect(published, {direction: party, "message": computed.hex()})

    def tell(self, to, message):
        self.message("to", to, message)
        self.clients[to].hear(message)

    def around(self, own):
        """Everybody that masks with a client."""
        mine = self.round.holders(own, self.clients[own].choice)
        kept = [c.own for c in self.clients if own in self.round.holders(c.own, c.choice)]
        return sorted({*mine, *kept} - {own})

    def keys(self):
        keys = [client.signed_keys() for client in self.clients]
        for own, signed in enumerate(keys):
            self.message("from", own, word(0) + signed)
        self.sealed = {}
        for client in self.clients:
            around = self.around(client.own)
            self.tell(client.own, word(0) + number(len(around)) + b"".join(keys[other] for other in around))
            shares = client.sealed_shares()
            self.message("from", client.own, shares)
            reader = Reader(shares[36:])
            self.sealed[client.own] = dict(reader.list(lambda reader: (reader.integer(4), reader.text())))

    def inputs(self):
        masked = {}
        for client in self.clients:
            around = self.around(client.own)
            message = word(1) + number(len(around))
            for other in around:
                sealed = self.sealed[other].get(client.own)
                message += word(other) + (b"\0" if sealed is None else b"\1" + text(sealed))
            self.tell(client.own, message)
            if client.own in self.survivors:
                masked[client.own] = client.masked()
                self.message("from", client.own, masked[client.own])
        return masked

    def unmasking(self):
        there = [client for client in self.clients if client.own in self.survivors]
        for client in there:
            self.tell(client.own, word(2) + text(write_set(self.survivors, self.round.n)))
        if self.round.is_active:
            for client in there:
                self.message("from", client.own, word(3) + text(client.agreement()))
            for client in there:
                holders = [h for h in self.round.holders(client.own, client.choice) if h in self.survivors]
                signed = b"".join(word(holder) + text(self.clients[holder].agreement()) for holder in holders)
                self.tell(client.own, word(3) + number(len(holders)) + signed)
        given = {client.own: {} for client in self.clients}
        for client in there:
            message = client.given()
            self.message("from", client.own, message)
            for of, data in Reader(message[4:]).list(lambda reader: (reader.integer(4), reader.text())):
                given[of][client.own] = data
        expect(len(self.messages), self.next)
        return given

    def sum(self, masked, given):
        """What the server knows of the vectors: the masked ones, public keys, commitments and one kind of share."""
        encoding, round = self.round.terms["encoding"], self.round
        size = bits(encoding) // 8
        total = [sum(column) % 2 ** (8 * size) for column in zip(*(read_words(m[12:], size) for m in masked.values()))]
        public = [x25519_public(client.mask) for client in self.clients]
        for client in self.clients:
            own = client.own
            secret = recover(list(given[own].items())[:round.t])
            if own in self.survivors:
                expect(commitment(client.secret, round.id, own), commitment(secret, round.id, own))
                total = apply_mask(total, self_seed(secret, round.id, own), -1, size)
                continue
            expect(public[own], x25519_public(secret))
            for other in self.around(own):
                if other in self.survivors:
                    seed = pair_seed(x25519(secret, public[other]), round.id, own, other)
                    total = apply_mask(total, seed, -1 if other < own else 1, size)
        half = 2 ** (8 * size - 1)
        values = [value - 2 * half if value >= half else value for value in total]
        return (values[:-1], values[-1]) if encoding["weight_max"] else (values, None)


# The rounds that lies are told in, as far as they went.
PLAYED = {}


def check_whole(vector):
    play = Play(vector)
    play.keys()
    masked = play.inputs()
    given = play.unmasking()
    values, weight = play.sum(masked, given)
    expect(vector["sum"], values)
    expect(vector["weight"], weight)
    PLAYED[vector["name"]] = play


def check_lie(vector):
    play = PLAYED[vector["round"]]
    # What the client heard before is as in the round; what it hears now is the lie.
    client, own = Client(play.round, vector["to"], play.clients[vector["to"]].drawn), vector["to"]
    heard = [bytes.fromhex(m["message"]) for m in play.messages if m.get("to") == own]
    for message in heard[:vector["stage"]]:
        client.hear(message)
    try:
        client.hear(bytes.fromhex(vector["message"]))
    except Refused as refused:
        expect(vector["verdict"], str(refused))
    else:
        expect(vector["verdict"], "good")
    expect(vector["name"].startswith("bad_"), vector["verdict"] != "good")


CHECKS = {
    "masks-whole.json": check_whole,
    "masks-lie.json": check_lie,
}
