#!/usr/bin/env python3
"""A working consumer of the Cartwright API, with the standard library only.

Lists the active carts, takes a live token for each, asks each store for its name, reports a token that the store
refuses, and follows what changes. Make a key with the scopes carts:read and tokens:issue, and then:

    export CARTWRIGHT_API_KEY=cwk_...
    python3 sync.py --url https://orders.example.com            # every active cart once
    python3 sync.py --url https://orders.example.com --follow   # then wait for changes until interrupted
"""

import argparse
import json
import os
import re
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# Seconds that a token must still be valid for: longer than one round of work on one store.
MIN_SECONDS = 300
# Seconds that the server may hold a request for changes open.
WAIT_SECONDS = 30
QUERY = "{ shop { name } }"


class Problem(Exception):
    """An answer of the API that is not a success: a problem document (RFC 9457)."""

    def __init__(self, status, document, retry_after):
        self.status = status
        self.document = document
        self.retry_after = retry_after
        reason = document.get("class") or document.get("title") or status
        super().__init__(f"{status} {reason}: {document.get('detail', '')}")


class Cartwright:
    """The API under one address, with one key. Redirects are not followed: the key goes to this address only."""

    def __init__(self, url, key):
        self.url = url.rstrip("/")
        self.key = key
        self.opener = urllib.request.build_opener(NoRedirect)

    def request(self, method, path, body=None):
        """Returns the answer's document and headers; raises Problem. A busy server is asked again when it says."""
        while True:
            try:
                return self.send(method, path, body)
            except Problem as problem:
                if problem.status not in (429, 503) or problem.retry_after is None:
                    raise
                time.sleep(problem.retry_after)

    def send(self, method, path, body):
        request = urllib.request.Request(urllib.parse.urljoin(self.url + "/", path), method=method)
        request.add_header("Authorization", f"Bearer {self.key}")
        request.add_header("Accept", "application/json")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with self.opener.open(request, timeout=WAIT_SECONDS + 15) as answer:
                return json.load(answer), answer.headers
        except urllib.error.HTTPError as refused:
            with refused:
                kind = refused.headers.get_content_type()
                document = json.load(refused) if kind == "application/problem+json" else {}
                retry_after = refused.headers.get("Retry-After")
                raise Problem(refused.code, document, int(retry_after) if retry_after else None) from None

    def active_carts(self):
        """All active carts, page by page."""
        path = "/api/v1/carts?active=true"
        while path:
            page, headers = self.request("GET", path)
            yield from page["carts"]
            following = re.search(r'<([^>]+)>;\s*rel="next"', headers.get("Link", ""))
            path = following and following.group(1)

    def token(self, cart):
        return self.request("POST", f"/api/v1/carts/{cart}/token", {"min_seconds": MIN_SECONDS})[0]

    def refused(self, cart, token, status, request_id):
        """Tells the server that the store refused the token, so that it renews or checks it."""
        report = {"token_id": token["token_id"], "status": status, "request_id": request_id}
        return self.request("POST", f"/api/v1/carts/{cart}/token/refusals", report)[0]

    def changes(self, after):
        """Changes after a cursor; waits for the first one."""
        query = urllib.parse.urlencode({"wait": WAIT_SECONDS, "after": after})
        return self.request("GET", f"/api/v1/changes?{query}")[0]

    def newest_cursor(self):
        """Where the feed of changes stands now."""
        return self.request("GET", "/api/v1/changes?after=newest")[0]["cursor"]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def ask_store(opener, token):
    """Asks the store for its name. The token goes to the address that the server gave with it, and nowhere else."""
    url = f"{token['store_url']}/admin/api/{token['api_version']}/graphql.json"
    request = urllib.request.Request(url, data=json.dumps({"query": QUERY}).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    request.add_header(token["header"], token["token"])
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)["data"]["shop"]["name"]


def sync(cartwright, opener, cart):
    """One round of work on one cart. A refused token is reported, and tried once more if there is a newer one."""
    name = cart["website_name"]
    try:
        for attempt in (1, 2):
            token = cartwright.token(cart["id"])
            try:
                print(f"{name}: the store calls itself {ask_store(opener, token)}")
                return True
            except urllib.error.HTTPError as refused:
                with refused:
                    request_id = refused.headers.get("X-Request-Id", "")
                if refused.code != 401:
                    raise
                answer = cartwright.refused(cart["id"], token, refused.code, request_id)
                print(f"{name}: the store refused the token; {answer['result']}")
                if attempt == 2 or answer["result"] not in ("renewed", "newer-exists"):
                    return False
    except Problem as problem:
        print(f"{name}: no token: {problem}")
    except (urllib.error.URLError, OSError) as error:
        print(f"{name}: the store does not answer: {error}")
    return False


def follow(cartwright, opener, after):
    """Works on each cart that changes, until interrupted."""
    while True:
        feed = cartwright.changes(after)
        for change in feed["changes"]:
            cart = change["data"].get("cart")
            print(f"{cart['website_name'] if cart else 'all carts'}: {change['type']}")
            if change["type"] == "cart.recovered":
                sync(cartwright, opener, cart)
        after = feed["cursor"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="the address of Cartwright")
    parser.add_argument("--key-file", help="a file with the API key; without it, CARTWRIGHT_API_KEY is used")
    parser.add_argument("--proxy", help="a proxy for calls to the stores, http://host:port")
    parser.add_argument("--ca-file", help="certificate authorities to trust for the stores, as PEM")
    parser.add_argument("--follow", action="store_true", help="wait for changes afterwards, until interrupted")
    flags = parser.parse_args()
    if flags.key_file:
        with open(flags.key_file, encoding="ascii") as file:
            key = file.read().strip()
    else:
        key = os.environ.get("CARTWRIGHT_API_KEY", "").strip()
    if not key:
        parser.error("set CARTWRIGHT_API_KEY or --key-file")
    cartwright = Cartwright(flags.url, key)
    trusted = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=flags.ca_file))
    proxies = urllib.request.ProxyHandler({"https": flags.proxy} if flags.proxy else {})
    opener = urllib.request.build_opener(trusted, proxies, NoRedirect)
    try:
        # The position before the list, so that no change between the two is missed.
        after = cartwright.newest_cursor()
        worked = [sync(cartwright, opener, cart) for cart in cartwright.active_carts()]
        print(f"{sum(worked)} of {len(worked)} active carts answered.")
        if flags.follow:
            follow(cartwright, opener, after)
    except Problem as problem:
        sys.exit(f"Cartwright: {problem}")
    except KeyboardInterrupt:
        pass
    return 0 if all(worked) else 1


if __name__ == "__main__":
    sys.exit(main())
