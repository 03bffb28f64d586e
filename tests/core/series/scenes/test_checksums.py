"""Multihashes, as the STAC extension file has them."""

import hashlib

import pytest

from twinns_qgis.series.scenes.checksums import agrees, checksum_of

CONTENT = b"pixels"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.tif").write_bytes(CONTENT)
    return tmp_path / "a.tif"


@pytest.mark.parametrize(
    ("code", "name"), [("1114", "sha1"), ("d50110", "md5"), ("1220", "sha256"), ("1340", "sha512"),
                       ("1620", "sha3_256"), ("1440", "sha3_512")]
)  # fmt: skip
def test_checksums_of_all_kinds_are_compared(path, code, name):
    checksum = code + hashlib.new(name, CONTENT).hexdigest()
    assert agrees(path, checksum)
    assert agrees(path, checksum.upper())
    assert agrees(path, checksum[:-1] + ("0" if checksum[-1] != "0" else "1")) is False


@pytest.mark.parametrize("checksum", ["", "9999abcd", "1220abcd"])
def test_a_checksum_of_another_kind_says_nothing(path, checksum):
    assert agrees(path, checksum) is None


def test_our_own_is_a_sha_256(path):
    assert checksum_of(path) == "1220" + hashlib.sha256(CONTENT).hexdigest()
