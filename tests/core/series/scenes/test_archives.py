"""Archives by name and by address."""

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.scenes.archives import ARCHIVES, parse_archive, parse_collections


def test_an_archive_has_a_name_or_an_address():
    known = parse_archive(" Planetary-Computer ")
    assert parse_collections("sentinel-1, other", known) == ["sentinel-1-rtc", "other"]
    assert parse_archive(f"{known.api}/") is known
    assert parse_archive("http://127.0.0.1:8080/stac/").api == "http://127.0.0.1:8080/stac"


@pytest.mark.parametrize(
    "text", ["", "nasa", "file:///etc/passwd", "https://", "https://user:word@example.org", "http://[::1"]
)
def test_what_is_neither_is_refused(text):
    with pytest.raises(InputError, match="API is"):
        parse_archive(text)


@pytest.mark.parametrize("text", ["", " , ", "sentinel-1"])
def test_collections_that_are_not_known_are_asked_for(text):
    with pytest.raises(InputError, match=r"is known: sentinel-2 \(sentinel-2-l2a\)"):
        parse_collections(text, ARCHIVES["earth-search"])


def test_public_buckets_have_addresses_of_servers():
    africa = ARCHIVES["digital-earth-africa"]
    expected = "https://deafrica-sentinel-2.s3.af-south-1.amazonaws.com/a/B02.tif"
    assert africa.address("s3://deafrica-sentinel-2/a/B02.tif") == expected
    assert africa.address("https://example.org/B02.tif") == "https://example.org/B02.tif"


@pytest.mark.parametrize("known", ARCHIVES.values())
def test_signatures_are_made_where_the_api_is(known):
    assert not known.signing or known.signing.split("/")[2] == known.api.split("/")[2]
