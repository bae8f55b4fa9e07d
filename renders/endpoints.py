"""Addresses of rendering machines."""

from urllib.parse import urlsplit, urlunsplit


def public(endpoint: str) -> str:
    """The address without user and password, as it is kept and shown: http where it names no scheme, no slash at its
    end. "" for what is no address of a web server.
    """
    text = endpoint.strip() if "://" in endpoint else f"http://{endpoint.strip()}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    place = f"[{host}]" if ":" in host else host
    place = f"{place}:{port}" if port else place
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
