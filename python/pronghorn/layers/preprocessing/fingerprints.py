"""Hashes of strings that stay the same everywhere: FarmHash's Fingerprint64, SipHash-2-4.

The sources: Pike and Alakuijala, FarmHash (2014), function Fingerprint64; Aumasson and Bernstein,
"SipHash: a fast short-input PRF" (2012), section 2.
"""

from __future__ import annotations

from collections.abc import Sequence

_MASK = (1 << 64) - 1
_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F


def hash_text(text: str, salt: Sequence[int] | None) -> int:
    """Returns the hash of a text: with a salt of two numbers SipHash under it, else FarmHash."""
    data = text.encode("utf-8")
    return fingerprint64(data) if salt is None else siphash24(data, (salt[0], salt[1]))


def fingerprint64(data: bytes) -> int:
    """Returns FarmHash's 64-bit fingerprint of bytes."""
    n = len(data)
    if n <= 16:
        return _up_to_16(data)
    if n <= 32:
        return _up_to_32(data)
    if n <= 64:
        return _up_to_64(data)
    return _long(data)


def concatenated(first: int, second: int) -> int:
    """Returns the fingerprint of two fingerprints in order, as TensorFlow combines them."""
    mul = 0xC6A4A7935BD1E995
    found = first ^ mul
    found ^= _mix(second * mul) * mul & _MASK
    found = found * mul & _MASK
    return _mix(_mix(found) * mul)


def siphash24(data: bytes, key: tuple[int, int]) -> int:
    """Returns SipHash-2-4 of bytes under a key of two 64-bit numbers."""
    k0, k1 = key[0] & _MASK, key[1] & _MASK
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]
    whole = len(data) // 8 * 8
    words = [int.from_bytes(data[i : i + 8], "little") for i in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        _sip_round(v)
        _sip_round(v)
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(4):
        _sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_round(v: list[int]) -> None:
    a, b, c, d = v
    a = (a + b) & _MASK
    b = _left(b, 13) ^ a
    a = _left(a, 32)
    c = (c + d) & _MASK
    d = _left(d, 16) ^ c
    a = (a + d) & _MASK
    d = _left(d, 21) ^ a
    c = (c + b) & _MASK
    b = _left(b, 17) ^ c
    c = _left(c, 32)
    v[:] = a, b, c, d


def _left(x: int, n: int) -> int:
    return (x << n | x >> (64 - n)) & _MASK


def _right(x: int, n: int) -> int:
    x &= _MASK
    return (x >> n | x << (64 - n)) & _MASK


def _mix(x: int) -> int:
    x &= _MASK
    return x ^ x >> 47


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _half(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _combine(u: int, v: int, mul: int) -> int:
    u, v = u & _MASK, v & _MASK
    a = _mix((u ^ v) * mul)
    b = _mix((v ^ a) * mul)
    return b * mul & _MASK


def _up_to_16(s: bytes) -> int:
    n = len(s)
    if n >= 8:
        mul = _K2 + n * 2
        a = _word(s, 0) + _K2
        b = _word(s, n - 8)
        c = _right(b, 37) * mul + a
        d = (_right(a, 25) + b) * mul
        return _combine(c, d, mul)
    if n >= 4:
        return _combine(n + (_half(s, 0) << 3), _half(s, n - 4), _K2 + n * 2)
    if n > 0:
        y = s[0] + (s[n >> 1] << 8)
        z = n + (s[n - 1] << 2)
        return _mix(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _ends(s: bytes, first: int) -> tuple[int, int, int, int, int]:
    n = len(s)
    mul = _K2 + n * 2
    return mul, _word(s, 0) * first, _word(s, 8), _word(s, n - 8) * mul, _word(s, n - 16) * _K2


def _up_to_32(s: bytes) -> int:
    mul, a, b, c, d = _ends(s, _K1)
    return _combine(_right(a + b, 43) + _right(c, 30) + d, a + _right(b + _K2, 18) + c, mul)


def _up_to_64(s: bytes) -> int:
    n = len(s)
    mul, a, b, c, d = _ends(s, _K2)
    y = _right(a + b, 43) + _right(c, 30) + d
    z = _combine(y, a + _right(b + _K2, 18) + c, mul)
    e = _word(s, 16) * mul
    f = _word(s, 24)
    g = (y + _word(s, n - 32)) * mul
    h = (z + _word(s, n - 24)) * mul
    return _combine(_right(e + f, 43) + _right(g, 30) + h, e + _right(f + a, 18) + g, mul)


def _weak(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_word(s, at + k) for k in (0, 8, 16, 24))
    a = a + w & _MASK
    b = _right(b + a + z, 21)
    c = a
    a = a + x + y & _MASK
    b = b + _right(a, 44) & _MASK
    return a + z & _MASK, b + c & _MASK


def _long(s: bytes) -> int:
    n = len(s)
    x, y = 81, 81 * _K1 + 113 & _MASK
    z = _mix(y * _K2 + 113) * _K2 & _MASK
    v, w = (0, 0), (0, 0)
    x = x * _K2 + _word(s, 0) & _MASK
    end = (n - 1) // 64 * 64
    rest = n - 1 & 63
    for at in range(0, end, 64):
        x, y, z, v, w = _block(s, at, x, y, z, v, w, _K1, 1)
    mul = _K1 + ((z & 0xFF) << 1)
    first = w[0] + rest & _MASK
    v = (v[0] + first & _MASK, v[1])
    w = (first + v[0] & _MASK, w[1])
    x, y, z, v, w = _block(s, end + rest - 63, x, y, z, v, w, mul, 9)
    return _combine(
        _combine(v[0], w[0], mul) + _mix(y) * _K0 + z, _combine(v[1], w[1], mul) + x, mul
    )


def _block(
    s: bytes,
    at: int,
    x: int,
    y: int,
    z: int,
    v: tuple[int, int],
    w: tuple[int, int],
    mul: int,
    factor: int,
) -> tuple[int, int, int, tuple[int, int], tuple[int, int]]:
    x = _right(x + y + v[0] + _word(s, at + 8), 37) * mul & _MASK
    y = _right(y + v[1] + _word(s, at + 48), 42) * mul & _MASK
    x ^= w[1] * factor & _MASK
    y = y + v[0] * factor + _word(s, at + 40) & _MASK
    z = _right(z + w[0], 33) * mul & _MASK
    v = _weak(s, at, v[1] * mul & _MASK, x + w[0] & _MASK)
    w = _weak(s, at + 32, z + w[1] & _MASK, y + _word(s, at + 16) & _MASK)
    return z, y, x, v, w
