"""Reads texts, one a line in base64, with Python's json, and writes what it read as JSON, one a line; nothing where it refuses."""

import base64
import json
import sys

for line in sys.stdin:
    try:
        print(json.dumps(json.loads(base64.b64decode(line))))
    except (ValueError, RecursionError):
        print()
