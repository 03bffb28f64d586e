"""What programs said when they failed becomes what is wrong and what to do."""

import re

import pytest

from twinns_qgis.compute.failures import why_not_installed
from twinns_qgis.compute.processes import Ended

PIP = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by '{}': /simple/tiny/\nERROR: No matching distribution"
)
HASH = "error: Hash mismatch for `tiny==1.0`\n  expected: sha256:407\n  computed: sha256:408"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HASH, "another hash"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "another hash"),
        ("error: failed to write\n  cause: No space left on device (os error 28)", "disk is full"),
        ("[WinError 112]\n error: There is not enough space on the disk. (os error 112)", "disk is full"),
        ("  cause: HTTP status client error (407 Proxy Authentication Required) for url", "refuses user or password"),
        ("  cause: tunnel error: proxy authorization required", "refuses user or password"),
        (
            PIP.format("ProxyError('Tunnel connection failed: 407 Proxy Authentication Required')"),
            "refuses user or pass",
        ),
        (PIP.format("NewConnectionError('[Errno -3] Temporary failure in name resolution')"), "can't be reached: .*-3"),
        ("error: Request failed\n  cause: dns error\n  cause: failed to lookup", "can't be reached: cause: dns error"),
        ("error: Failed to unpack https://index/packages/407/407/tiny-1.407.whl", "could not be installed"),
    ],
)
def test_the_reason_is_told(text, expected):
    error = why_not_installed(Ended(1, text))
    assert re.search(expected, error.message)
    assert error.hint
