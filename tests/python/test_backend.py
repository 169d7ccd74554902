# SPDX-License-Identifier: Apache-2.0
"""The build backend repeats the reason of a failure as the last line, which is what pip shows last."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .test_configure import CMAKE, SOURCE, configure

needs_checkout = pytest.mark.skipif(
    not (SOURCE / "CMakeLists.txt").exists(), reason="ANJAY_CFFI_SOURCE is not the checkout"
)
pytestmark = needs_checkout


class Core(ModuleType):
    """Stands for scikit_build_core.build."""

    def __init__(self) -> None:
        super().__init__("scikit_build_core.build")
        self.reason: str | None = None
        self.failure: BaseException | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **settings: f"{name} {args} {settings}"

    def build_wheel(self, *args: Any, **settings: Any) -> str:
        if self.reason is not None:
            Path(os.environ["ANJAY_CFFI_REASON"]).write_text(self.reason)
        if self.failure is not None:
            raise self.failure
        return f"wheel {args}"

    build_editable = build_wheel


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> Core:
    core = Core()
    package = ModuleType("scikit_build_core")
    package.build = core  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "scikit_build_core", package)
    monkeypatch.setitem(sys.modules, "scikit_build_core.build", core)
    return core


def backend() -> Any:
    spec = importlib.util.spec_from_file_location("build_backend", SOURCE / "cmake" / "build_backend.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("hook", ["build_wheel", "build_editable"])
def test_reason_comes_last(core: Core, hook: str, capsys: pytest.CaptureFixture[str]) -> None:
    build = getattr(backend(), hook)
    assert build("out") == "wheel ('out',)"
    core.failure = SystemExit(7)
    with pytest.raises(SystemExit) as caught:
        build("out")
    assert caught.value.code == 7
    assert capsys.readouterr().err == ""
    core.reason = "anjay_cffi: no C compiler: install one"
    with pytest.raises(SystemExit) as caught:
        build("out")
    assert caught.value.code == 1
    assert capsys.readouterr().err.splitlines()[-1] == core.reason
    assert "ANJAY_CFFI_REASON" not in os.environ


def test_other_hooks_are_those_of_scikit_build_core(core: Core) -> None:
    module = backend()
    assert module.get_requires_for_build_wheel({}).startswith("get_requires_for_build_wheel")
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.skipif(CMAKE is None, reason="no cmake here: pip brings one for the time of a build only")
@pytest.mark.parametrize("compiler", ["nonexistent-cc", "nonexistent-cc -pthread"])
def test_cc_that_is_not_there(tmp_path: Path, compiler: str) -> None:
    """CC is often set by Python's own build configuration, without the compiler being there."""
    reason = tmp_path / "reason"
    status, line = configure(tmp_path / "build", CC=compiler, ANJAY_CFFI_REASON=str(reason))
    assert status != 0
    assert "'nonexistent-cc' (CC) is not here: set CC=/" in line
    assert reason.read_text() == line.strip()
