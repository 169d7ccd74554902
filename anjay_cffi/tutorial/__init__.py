# SPDX-License-Identifier: Apache-2.0
"""The Anjay firmware-update tutorial in Python: ``python -m anjay_cffi.tutorial ENDPOINT``."""
