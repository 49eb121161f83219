"""Fetch addresses by the recipe that warcio's documentation gives; runs among the peers.

capture.py OUTPUT.warc.gz ADDRESSES
"""

import sys
from pathlib import Path

from warcio.capture_http import capture_http

import requests  # isort: skip  # it must be imported after capture_http

with capture_http(sys.argv[1]):
    for address in Path(sys.argv[2]).read_text("utf-8").split():
        requests.get(address, timeout=60)
