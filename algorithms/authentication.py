"""QGIS's own store of passwords and tokens, for archives that want to know who reads."""

from __future__ import annotations

from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsProcessingException,
    QgsProcessingParameterAuthConfig,
)
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtNetwork import QNetworkRequest

from .translation import tr

AUTHENTICATION = "AUTHENTICATION"
"""The parameter; its value is the identifier of a configuration, which is no secret."""
TOKENS = "TWINNS_TOKENS"
"""The environment variable in which the worker finds what to tell which host."""
_HEADER = b"Authorization"


def authentication_parameter() -> QgsProcessingParameterAuthConfig:
    """Returns the parameter of algorithms that read from servers."""
    parameter = QgsProcessingParameterAuthConfig(
        AUTHENTICATION, tr("Authentication at the archive (its Resource names the host)"), optional=True
    )
    parameter.setHelp(
        tr(
            "A configuration of QGIS's authentication: user and password, API header or OAuth2. Its Resource is the "
            "address of the host that it is for, https://..., and it is told to that host alone."
        )
    )
    parameter.setFlags(parameter.flags() | parameter.Flag.FlagAdvanced)
    return parameter


def with_authentication(identifier: str, tokens: str) -> str:
    """Returns the worker's tokens with that of a configuration, for the host that its resource names.

    Args:
        identifier: The configuration's.
        tokens: Those of QGIS's environment, ``host=token`` parted by spaces.

    Raises:
        QgsProcessingException: It can't be read, names no host, or is of a kind that needs more than a header.
    """
    manager, config = QgsApplication.authManager(), QgsAuthMethodConfig()
    loaded, config = manager.loadAuthenticationConfig(identifier, config, False)
    if not loaded:
        raise QgsProcessingException(
            tr("AUTHENTICATION: QGIS has no configuration {}, or its master password was not given.").format(identifier)
        )
    address = QUrl(config.uri())
    if address.scheme() != "https" or not address.host():
        raise QgsProcessingException(
            tr("AUTHENTICATION: the configuration '{}' does not say which host it is for.").format(config.name())
            + "\n"
            + tr("Set its Resource to the archive's address, https://... (Settings, Options, Authentication).")
        )
    done, request = manager.updateNetworkRequest(QNetworkRequest(address), identifier)
    scheme, _, token = request.rawHeader(_HEADER).data().decode("latin-1").partition(" ")
    if not done or scheme.lower() not in ("bearer", "basic") or not token.strip() or " " in token.strip():
        raise QgsProcessingException(
            tr("AUTHENTICATION: the configuration '{}' ({}) gives no header Authorization: Bearer or Basic.").format(
                config.name(), config.method()
            )
            + "\n"
            + tr("Choose one of the methods Basic, API Header or OAuth2.")
        )
    basic = "basic:" if scheme.lower() == "basic" else ""
    others = [other for other in tokens.split() if other.partition("=")[0] != address.host()]
    return " ".join([*others, f"{address.host()}={basic}{token.strip()}"])
