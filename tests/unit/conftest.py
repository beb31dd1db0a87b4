"""Make the checkout importable as ``ansible_collections.dnsops.redundant_dns``.

The set-up (``make setup``) links the checkout into ``.cache/collections``; ansible, molecule and
these tests all find the collection through that one link.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".cache" / "collections"))
