from __future__ import annotations

import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.backups.refusals import Damaged, Refused, Truncated, WrongKey
from ops.backups.sealing import FRAME_BYTES, Chain, Cipher, SealedReader, SealedWriter, Sealing

HEAD = b"what stands before"
SALT = bytes(16)
SMALL = b"Something that was said here."
LARGE = os.urandom(2 * FRAME_BYTES + 5)


def cipher(key: str = "a key", head: bytes = HEAD) -> Cipher:
    return Cipher(head, key, SALT)


def sealed(data: bytes, sealing: Sealing) -> bytes:
    out = io.BytesIO()
    writer = SealedWriter(out, sealing)
    writer.write(data)
    writer.finish()
    return out.getvalue()


def opened(sealed: bytes, *sealings: Sealing) -> bytes:
    return io.BufferedReader(SealedReader(io.BytesIO(sealed), sealings)).read()


@pytest.mark.parametrize("data", [b"", SMALL, LARGE, bytes(FRAME_BYTES), bytes(2 * FRAME_BYTES)])
@pytest.mark.parametrize("make", [cipher, lambda: Chain(HEAD)])
def test_it_works(data: bytes, make) -> None:
    assert opened(sealed(data, make()), make()) == data


def test_what_is_encrypted_cannot_be_read() -> None:
    assert SMALL not in sealed(SMALL, cipher())
    assert SMALL in sealed(SMALL, Chain(HEAD)), "need the other one to show it for this test to mean anything"


@settings(deadline=None)
@given(position=st.integers(min_value=0), bit=st.integers(0, 7), encrypted=st.booleans())
def test_one_changed_bit_is_found(position: int, bit: int, encrypted: bool) -> None:
    broken = bytearray(CIPHERED if encrypted else CHAINED)
    broken[position % len(broken)] ^= 1 << bit

    with pytest.raises(Refused):
        opened(bytes(broken), Cipher(HEAD, "a key", SALT) if encrypted else Chain(HEAD))


@settings(deadline=None)
@given(length=st.integers(min_value=0), encrypted=st.booleans())
def test_an_end_that_was_cut_off_is_found(length: int, encrypted: bool) -> None:
    whole = CIPHERED if encrypted else CHAINED

    with pytest.raises(Truncated):
        opened(whole[: length % len(whole)], Cipher(HEAD, "a key", SALT) if encrypted else Chain(HEAD))


@pytest.mark.parametrize("make", [cipher, lambda: Chain(HEAD)])
def test_whole_frames_that_are_missing_exchanged_or_appended_are_found(make) -> None:
    frame = 4 + len(make().seal(bytes(FRAME_BYTES), last=False))
    whole = sealed(LARGE, make())
    first, second, last = whole[:frame], whole[frame : 2 * frame], whole[2 * frame :]

    for wrong in (first + last, second + first + last, second + last):
        with pytest.raises((Damaged, WrongKey)):
            opened(wrong, make())
    with pytest.raises(Truncated):
        opened(first + second, make())
    with pytest.raises(Damaged, match="appended"):
        opened(whole + last, make())


@pytest.mark.parametrize("make", [lambda head: cipher(head=head), Chain])
def test_it_belongs_to_what_stands_before_it(make) -> None:
    with pytest.raises((Damaged, WrongKey)):
        opened(sealed(SMALL, make(HEAD)), make(b"another manifest"))


def test_another_key_opens_nothing_and_an_earlier_one_what_it_has_sealed() -> None:
    with pytest.raises(WrongKey, match="BACKUP_KEY_FALLBACKS"):
        opened(sealed(SMALL, cipher()), cipher("another"))

    assert opened(sealed(LARGE, cipher()), cipher("another"), cipher()) == LARGE


def test_a_frame_that_claims_to_be_huge_is_not_waited_for() -> None:
    with pytest.raises(Damaged):
        opened(b"\x7f\xff\xff\xff" + bytes(100), Chain(HEAD))


CHAINED = sealed(SMALL, Chain(HEAD))
CIPHERED = sealed(SMALL, cipher())
