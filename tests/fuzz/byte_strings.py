"""Mutations of bytes without regard to what they mean."""

from __future__ import annotations

from random import Random

_WORDS = [
    b"\x00" * 8,
    b"\xff" * 8,
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x80",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x01\x00\x00\x00",
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x89HDF\r\n\x1a\n",
    b"OHDR",
    b"GCOL",
    b"SNOD",
]


def mutate(data: bytes, random: Random) -> bytes:
    """Returns changed bytes: flips, words, cuts, copies, insertions."""
    changed = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 4, 16])):
        if not changed:
            return b"\0"
        at = random.randrange(len(changed))
        kind = random.randrange(8)
        if kind < 2:
            changed[at] ^= 1 << random.randrange(8)
        elif kind == 2:
            changed[at] = random.randrange(256)
        elif kind < 5:
            word = random.choice(_WORDS)[: random.choice([1, 2, 4, 8])]
            changed[at : at + len(word)] = word
        elif kind == 5:
            other = random.randrange(len(changed))
            size = random.choice([1, 4, 8, 16, 64, 512])
            changed[at : at + size] = changed[other : other + size]
        elif kind == 6:
            del changed[at : at + random.choice([1, 2, 8, 100])]
        else:
            changed[at:at] = bytes(random.randrange(256) for _ in range(random.choice([1, 4, 8])))
    if random.random() < 0.05:
        del changed[random.randrange(len(changed) + 1) :]
    return bytes(changed)
