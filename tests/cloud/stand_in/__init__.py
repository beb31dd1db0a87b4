"""What stands in for the clouds: their APIs and name servers, as far as this collection uses them."""

from __future__ import annotations
