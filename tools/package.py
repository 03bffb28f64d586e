"""Writes the plugin's zip, as QGIS installs it, to dist/, by the rules of QGIS's plugin repository.

With --release, addresses that are placeholders are refused too: nobody can upload them.
"""

import configparser
import re
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "twinns"  # the plugin's name for QGIS: users' settings hold it
FILES = (
    "metadata.txt", "LICENSE", "README.md", "CHANGELOG.md", "icon.svg", "__init__.py", "plugin.py",
    *(f"requirements{part}.txt" for part in ("", "-cuda", "-jax", "-torch", "-uv")),
)  # fmt: skip
FOLDERS = {"algorithms": ["*.py"], "twinns_qgis": ["*.py", "*.j2", "py.typed"], "models": ["*.model3"]}
LARGEST = 25_000_000  # the plugin repository takes no more
REQUIRED = (
    "name", "description", "version", "qgisMinimumVersion", "author", "email", "about", "tracker", "repository",
)  # fmt: skip
BINARIES = {".so", ".dll", ".dylib", ".pyd", ".exe", ".pyc", ".zip", ".whl"}
PLACEHOLDER = "example.org"
LONG_AGO = (2020, 1, 1, 0, 0, 0)  # the same sources give the same zip, byte by byte


def version() -> str:
    """Returns the version, which three files hold."""
    found = {
        "metadata.txt": metadata()["version"],
        "pyproject.toml": first(r'^version = "(.+)"', ROOT / "pyproject.toml"),
        "twinns_qgis/__init__.py": first(r'^__version__ = "(.+)"', ROOT / "twinns_qgis/__init__.py"),
    }
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{number} in {name}" for name, number in found.items())
        sys.exit(f"The versions differ: {listed}. Make them equal.")
    return found["metadata.txt"]


def metadata() -> configparser.SectionProxy:
    """Returns what metadata.txt tells of the plugin."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "metadata.txt", encoding="utf-8")
    return parser["general"]


def check(path: Path, release: bool) -> None:
    """Checks the zip as the plugin repository does when it is uploaded, and ends with what is wrong."""
    told = metadata()
    wrong = [f"metadata.txt has no {name}" for name in REQUIRED if not told.get(name, "").strip()]
    if release:
        names = [name for name, value in told.items() if PLACEHOLDER in value]
        wrong += [f"{name} in metadata.txt is a placeholder, {told[name]}" for name in names]
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    wrong += [f"{name} is missing" for name in ("LICENSE", "__init__.py") if f"{FOLDER}/{name}" not in names]
    wrong += [f"{name} is a binary" for name in names if Path(name).suffix in BINARIES]
    wrong += [f"{name} does not belong there" for name in names if re.search(r"/(\.|__)[^/]*/", name)]
    if (size := path.stat().st_size) > LARGEST:
        wrong.append(f"it has {size} bytes, more than {LARGEST}")
    if wrong:
        path.unlink()
        sys.exit(f"The plugin repository would refuse {path.name.removesuffix('.partial')}: {'; '.join(wrong)}.")


def first(pattern: str, path: Path) -> str:
    match = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        sys.exit(f"{path} has no line like {pattern}.")
    return match[1]


def sources() -> list[Path]:
    """Returns the files of the plugin, in the order of their names."""
    found = [ROOT / name for name in FILES]
    for folder, patterns in FOLDERS.items():
        for pattern in patterns:
            found += (ROOT / folder).rglob(pattern)
    missing = [str(path) for path in found if not path.is_file()]
    if missing:
        sys.exit(f"Missing: {', '.join(missing)}.")
    return sorted(found)


def write(path: Path, release: bool = False) -> None:
    """Writes the zip, under a name of its own until it is whole and checked."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sources():
            entry = zipfile.ZipInfo(f"{FOLDER}/{source.relative_to(ROOT).as_posix()}", LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, source.read_bytes())
    check(partial, release)
    partial.replace(path)


def main() -> None:
    path = ROOT / "dist" / f"{FOLDER}-{version()}.zip"
    write(path, release="--release" in sys.argv[1:])
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
