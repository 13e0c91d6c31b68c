"""Where a redirect may lead: further in the same site, never back from https to http.

The same site is the same registrable domain (`example.co.uk`, with or without `www.` or another name before it), or the
very same host where there is none (an IP address, `localhost`). Another site is an error that names the address, so
that whoever asked decides: following it silently would open pages nobody asked for.
"""

from __future__ import annotations

import httpx
from tld import get_fld

from agents_app.outgoing.addresses import checked_url
from agents_app.outgoing.errors import LeadsElsewhere


def next_url(url: httpx.URL, location: str) -> httpx.URL:
    target = checked_url(url.join(location).copy_with(fragment=None))
    if url.scheme == "https" and target.scheme == "http":
        raise LeadsElsewhere(f"{url.host} sent me on to {target}, which is not encrypted.", str(target))
    if not same_site(url, target):
        raise LeadsElsewhere(
            f"{url.host} sent me on to another site: {target} Ask for that address if you want it.", str(target)
        )
    return target


def same_site(url: httpx.URL, target: httpx.URL) -> bool:
    # A port of its own is a service of its own; None is the scheme's default.
    return _site(url) == _site(target) and target.port in (None, url.port)


def _site(url: httpx.URL) -> str:
    host = url.host.lower().rstrip(".")
    domain = get_fld(f"https://{host}/", fail_silently=True, search_private=True)
    return domain or host.removeprefix("www.")
