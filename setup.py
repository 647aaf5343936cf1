"""What pyproject.toml can't say: assets/ and app/ lie beside the package in a checkout, and inside it once installed.

As packages of their own, `app` and `assets` would take names that belong to nobody.
"""

from setuptools import find_packages, setup

APP = "bird_backend.explorer"

setup(
    script_name="setup.py",  # so that it is not taken for a module of the folder that it lies in
    packages=[
        *find_packages(include=["bird_backend", "bird_backend.*"]),
        *("bird_backend.assets", APP, *(f"{APP}.{part}" for part in find_packages(include=["app", "app.*"]))),
    ],
    package_dir={"bird_backend.assets": "assets", APP: ".", f"{APP}.app": "app"},
    package_data={
        "bird_backend": ["catalog/*.json"],
        "bird_backend.assets": [
            "checkpoints/*",
            "examples/*.json",
            "examples/own/*.py",
            "frost/*",
            "fashion-mnist-small.*",
            "logo*",
        ],
        APP: [".streamlit/config.toml"],
        f"{APP}.app": ["components/browser/*", "static/fonts/*"],
    },
)
