"""Writes the plugin's zip, as QGIS installs it, to dist/."""

import configparser
import re
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "twinns"  # the plugin's name for QGIS: users' settings hold it
FILES = (
    "metadata.txt", "LICENSE", "README.md", "CHANGELOG.md", "requirements.txt", "icon.svg", "__init__.py", "plugin.py",
)  # fmt: skip
FOLDERS = {"algorithms": ["*.py"], "twinns_qgis": ["*.py", "*.j2", "py.typed"], "models": ["*.model3"]}
LARGEST = 25_000_000  # the plugin repository takes no more
LONG_AGO = (2020, 1, 1, 0, 0, 0)  # the same sources give the same zip, byte by byte


def version() -> str:
    """Returns the version, which three files hold."""
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(ROOT / "metadata.txt", encoding="utf-8")
    found = {
        "metadata.txt": metadata["general"]["version"],
        "pyproject.toml": first(r'^version = "(.+)"', ROOT / "pyproject.toml"),
        "twinns_qgis/__init__.py": first(r'^__version__ = "(.+)"', ROOT / "twinns_qgis/__init__.py"),
    }
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{number} in {name}" for name, number in found.items())
        sys.exit(f"The versions differ: {listed}. Make them equal.")
    return found["metadata.txt"]


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


def write(path: Path) -> None:
    """Writes the zip under a name of its own until it is whole."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sources():
            entry = zipfile.ZipInfo(f"{FOLDER}/{source.relative_to(ROOT).as_posix()}", LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, source.read_bytes())
    if partial.stat().st_size > LARGEST:
        sys.exit(f"{partial} has {partial.stat().st_size} bytes, more than the plugin repository takes ({LARGEST}).")
    partial.replace(path)


def main() -> None:
    path = ROOT / "dist" / f"{FOLDER}-{version()}.zip"
    write(path)
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
