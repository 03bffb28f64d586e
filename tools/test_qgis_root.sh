#!/usr/bin/env bash
# Runs the tests inside QGIS on the QGIS of another Debian suite, such as trixie or sid:
#
#   tools/test_qgis_root.sh SUITE [pytest's arguments, by default tests/qgis]
#
# The suite is installed into build/roots/SUITE by debootstrap, which needs root, some minutes and 6 GB the first time.
# A copy of the project as it stands is tested there. Where the suite's Python is too new for the compute environment,
# as sid's is, the tests that need one are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

suite=${1:?the name of a Debian suite, such as trixie}
shift
[ $# -gt 0 ] || set -- tests/qgis
root=$PWD/build/roots/$suite

say() { printf '== %s\n' "$*"; }

[ "$(id -u)" -eq 0 ] || { echo "test-qgis: debootstrap and chroot need root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "test-qgis: apt-get install debootstrap" >&2; exit 1; }

if [ ! -e "$root/complete" ]; then
    say "Installing Debian $suite into $root"
    rm -rf "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase --include=ca-certificates,make,git "$suite" "$root" >"$root.log" 2>&1 ||
        { tail "$root.log" >&2; exit 1; }
    echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/valid"  # sid's may have expired
    touch "$root/complete"
fi

say "Copying the project"
mkdir -p "$root/twinns"
find "$root/twinns" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .venv-qgis -exec rm -rf {} +
git ls-files --cached --others --exclude-standard -z | tar --create --null --files-from - | tar -x -C "$root/twinns"

# The network is that of this machine, with its names and the certificates that it trusts.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
chroot "$root" update-ca-certificates >/dev/null 2>&1

# Mounts of its own, which are gone when it ends.
exec unshare --mount bash -euo pipefail -c '
    mount --rbind /proc "$1/proc"
    mount --rbind /dev "$1/dev"
    root=$1
    shift
    exec chroot "$root" /usr/bin/env --ignore-environment HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        QT_QPA_PLATFORM=offscreen PIP_CERT=/etc/ssl/certs/ca-certificates.crt bash -euc "
            cd /twinns
            git init --quiet 2>/dev/null || true
            if tools/setup.sh; then
                export TWINNS_PYTHON=/twinns/.venv/bin/python
            else
                tools/setup.sh qgis
            fi
            .venv-qgis/bin/python -c \"from qgis.core import Qgis; print(\\\"QGIS\\\", Qgis.QGIS_VERSION)\"
            exec .venv-qgis/bin/python -m pytest \"\$@\"
        " pytest "$@"
' mounts "$root" "$@"
