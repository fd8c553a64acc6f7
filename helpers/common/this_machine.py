"""HTTP to what listens on this machine; a proxy that the reader's system names is not asked."""

from __future__ import annotations

import urllib.request
from typing import IO

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def open_url(request: urllib.request.Request | str, timeout: float) -> IO[bytes]:
    """As urllib.request.urlopen, without proxies. timeout: seconds. Raises OSError, of which
    HTTPError is one kind.
    """
    return _opener.open(request, timeout=timeout)
