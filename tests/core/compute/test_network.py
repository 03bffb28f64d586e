"""Proxies and certificates become what programs understand, and no password is told."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinns_qgis.compute.network import (
    Proxy,
    certificate_variables,
    is_about_certificates,
    without_secrets,
    write_system_certificates,
)

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@settings(max_examples=100, deadline=None)
@given(user=NAMES, password=NAMES)
def test_user_and_password_arrive_whatever_they_hold(user, password):
    proxy = Proxy("HttpProxy", "proxy.example.org", "3128", user, password)
    parts = urlsplit(proxy.variables()["HTTPS_PROXY"])
    assert (unquote(parts.username), unquote(parts.password)) == (user, password)
    assert (parts.hostname, parts.port) == ("proxy.example.org", 3128)


@settings(max_examples=100, deadline=None)
@given(user=NAMES, password=NAMES, around=st.sampled_from(["", "error: ", "tunnel failed\n"]))
def test_no_password_is_told(user, password, around):
    url = Proxy("HttpProxy", "proxy.example.org", "3128", user, "geheim" + password).variables()["HTTPS_PROXY"]
    told = without_secrets(f"{around}{url} refused")
    assert "geheim" not in told
    assert told == f"{around}http://***@proxy.example.org:3128 refused"


@pytest.mark.parametrize("password", ["geheim", "ge/heim", "ge@heim", "a/b@geheim:/", "geheim/"])
def test_no_password_is_told_that_was_written_into_an_address_as_it_is(password):
    assert without_secrets(f"see http://me:{password}@proxy:3128/x now") == "see http://***@proxy:3128/x now"


def test_addresses_without_passwords_stay():
    text = "http://proxy:3128/ https://index/simple file:///home/wheels/a.whl 12:30"
    assert without_secrets(text) == text


def test_programs_that_know_small_letters_alone_are_told_too():
    variables = Proxy("Socks5Proxy", "10.0.0.1", "1080").variables()
    assert variables["ALL_PROXY"] == variables["all_proxy"] == "socks5h://10.0.0.1:1080"


@pytest.mark.parametrize(
    ("proxy", "address"),
    [
        (Proxy("HttpProxy", "http://proxy/", "8080"), "http://proxy:8080"),
        (Proxy("HttpCachingProxy", "proxy", "0"), "http://proxy"),
        (Proxy("HttpProxy", "::1", "8080"), "http://[::1]:8080"),
    ],
)
def test_hosts_are_understood_as_users_write_them(proxy, address):
    assert proxy.variables()["HTTPS_PROXY"] == address


@pytest.mark.parametrize("proxy", [Proxy("NoProxy", "proxy"), Proxy("HttpProxy", "")])
def test_without_a_proxy_nothing_changes(proxy):
    assert proxy.variables() == {}


def test_addresses_without_proxy_are_hosts():
    proxy = Proxy("HttpProxy", "proxy", excluded=["http://inside.example.org/wms", "localhost"])
    assert proxy.variables()["NO_PROXY"] == "inside.example.org,localhost"


def test_the_proxy_of_the_system_is_taken_where_qgis_says_so(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://system:1")
    assert Proxy("DefaultProxy").variables()["HTTPS_PROXY"] == "http://system:1"


def test_the_systems_certificates_are_trusted_unless_the_user_names_others(tmp_path):
    path = tmp_path / "system.pem"
    write_system_certificates(path)
    assert path.exists()
    assert certificate_variables({}, path) == {"UV_SYSTEM_CERTS": "true", "PIP_CERT": str(path)}
    assert certificate_variables({"SSL_CERT_FILE": "/own.pem"}, path)["PIP_CERT"] == "/own.pem"
    assert "PIP_CERT" not in certificate_variables({"PIP_CERT": "/own.pem"}, path)
    assert certificate_variables({}, None) == {"UV_SYSTEM_CERTS": "true"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("invalid peer certificate: UnknownIssuer", True),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", True),
        ("Hash mismatch for `x==1`", False),
        ("dns error", False),
    ],
)
def test_untrusted_certificates_are_recognised(text, expected):
    assert is_about_certificates(text) == expected
