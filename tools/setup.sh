#!/usr/bin/env bash
# Makes what the project needs to run and to be tested, and says what before it installs it:
#
#   QGIS and its tools, from Debian's packages, where they are missing;
#   .venv, the compute environment: the locked libraries, the checkers and the core itself;
#   .venv-qgis, QGIS's own Python with a test runner.
#
# With the argument "qgis", the first and the last of them alone. What is there and up to date is left alone. PYTHON names
# the interpreter for .venv, QGIS_PYTHON the one QGIS uses.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

SYSTEM_PACKAGES=(qgis python3-qgis qgis-providers gdal-bin xvfb xauth python3-venv)
QGIS_PYTHON=${QGIS_PYTHON:-/usr/bin/python3}

say() { printf '== %s\n' "$*"; }

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

install_system_packages() {
    if ! command -v apt-get >/dev/null; then
        command -v qgis_process >/dev/null && command -v gdalinfo >/dev/null && return
        fail "this is no Debian: install QGIS 3.22 or later with qgis_process, and GDAL's tools, then call it again."
    fi
    local package missing=() as_root=()
    for package in "${SYSTEM_PACKAGES[@]}"; do
        dpkg-query --show --showformat '${Status}\n' "$package" 2>/dev/null | grep -qx 'install ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Installing Debian's packages ${missing[*]} and what they depend on"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "that needs root: as root, apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get --quiet --quiet update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get --quiet --quiet --yes --no-install-recommends --option Dpkg::Use-Pty=0 \
        install "${missing[@]}" >/dev/null
}

# Debian's python3 without python3-venv has venv but not ensurepip.
find_python() {
    local candidate
    for candidate in "${PYTHON:-python3.13}" python3.12 python3.11 python3.10 python3; do
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' \
            >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        elif [ -n "${PYTHON:-}" ]; then
            fail "PYTHON is '$PYTHON': expected Python 3.10 to 3.13 with venv and ensurepip."
        fi
    done
    fail "there is no Python 3.10 to 3.13 with venv and ensurepip: install one, or set PYTHON=/path/to/python3.12."
}

# An environment is complete when its stamp, which is written last, tells of this folder and of these files.
stamp() {
    pwd
    cat "$@" | cksum
}

is_complete() {
    local environment=$1
    shift
    [ "$(cat "$environment/complete" 2>/dev/null)" = "$(stamp "$@")" ] &&
        "$environment/bin/python" -c 'import pytest' 2>/dev/null
}

install_locked() {
    local environment=$1 lock
    shift
    local arguments=()
    for lock in "$@"; do arguments+=(--requirement "$lock"); done
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes "${arguments[@]}"
    stamp "$@" >"$environment/complete"
}

make_compute_environment() {
    local locks=(requirements.txt requirements-dev.txt) python
    if ! is_complete .venv "${locks[@]}"; then
        python=$(find_python)
        say "Making .venv with $("$python" --version) and the libraries in ${locks[*]}: some minutes and 3 GB"
        rm -rf .venv
        "$python" -m venv .venv
        install_locked .venv "${locks[@]}"
    fi
    if [ "$(cat .venv/core 2>/dev/null)" != "$(stamp pyproject.toml)" ]; then
        say "Installing twinns_qgis itself into .venv, as a link to this folder"
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
        stamp pyproject.toml >.venv/core
    fi
}

make_qgis_environment() {
    local locks=(requirements-qgis-tests.txt)
    if ! is_complete .venv-qgis "${locks[@]}"; then
        "$QGIS_PYTHON" -c 'import qgis.core' 2>/dev/null ||
            fail "$QGIS_PYTHON has no QGIS: set QGIS_PYTHON to the Python that QGIS uses."
        say "Making .venv-qgis with $("$QGIS_PYTHON" --version), its QGIS and the test runner in ${locks[*]}"
        rm -rf .venv-qgis
        "$QGIS_PYTHON" -m venv --system-site-packages .venv-qgis
        install_locked .venv-qgis "${locks[@]}"
    fi
}

install_system_packages
[ "${1:-}" = qgis ] || make_compute_environment
make_qgis_environment
