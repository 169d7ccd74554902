# SPDX-License-Identifier: Apache-2.0
"""Marks of tests that cannot pass with every provider. Each use is in docs/differences.md."""

from __future__ import annotations

import pytest

import anjay_cffi as lwm2m
from anjay_cffi._buildinfo import require

VENDORED = lwm2m.build_info().provider == "vendored"
"""For the assertion in a test that only one of the two can meet."""


def only_on(provider: str, reason: str) -> pytest.MarkDecorator:
    """Skip unless the provider is ``system`` or ``vendored``; ``reason``: why the other cannot pass."""
    assert provider in ("system", "vendored")
    assert len(reason.split()) > 3, "say why"
    return pytest.mark.skipif(lwm2m.build_info().provider != provider, reason=f"only on {provider}: {reason}")


def needs(macro: str) -> pytest.MarkDecorator:
    """Skip where the library was built without a feature, or is older than ANJAY_SINCE_3_x says."""
    try:
        require(macro)
    except lwm2m.FeatureNotAvailable as missing:
        return pytest.mark.skip(reason=str(missing))
    return pytest.mark.skipif(False, reason="")
