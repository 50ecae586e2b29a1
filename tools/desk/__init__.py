"""What the desk tools share. Nothing heavy is imported here: a missing module gets a sentence."""

from __future__ import annotations

import importlib
import sys

DEBIAN_PACKAGES = {
    "boto3": "python3-boto3",
    "click": "python3-click",
    "matplotlib": "python3-matplotlib",
    "numpy": "python3-numpy",
    "pandas": "python3-pandas",
    "requests": "python3-requests",
}


def need(*modules: str) -> None:
    """Ends the program with a sentence when this interpreter lacks one of MODULES."""
    missing = []
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            missing.append(module)
    if missing:
        packages = " ".join(DEBIAN_PACKAGES[m] for m in missing)
        sys.exit(
            f"Error: {sys.executable} has no module {', '.join(missing)}.\n"
            f"Next: on Debian or Ubuntu run 'apt install {packages}' and start this tool with "
            "/usr/bin/python3; elsewhere run 'pip install -r tools/requirements.txt'."
        )
