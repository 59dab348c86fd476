"""Bytes to text: byte order marks, UTF-8, UTF-16, and the old one-byte and Asian encodings."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SPARSE = 0.1
_MOSTLY = 0.7
_BINARY = "holds binary data, not text; give a text, HTML, JSON Lines, CSV or Parquet file"


def decode(data: bytes) -> str:
    """Return bytes as text, in the encoding that they are in.

    Raises:
        ValueError: they are binary, or in no encoding that can be told; the message is a reason.
    """
    encoding = unicode_encoding(data[:4096])
    if encoding is None:
        raise ValueError(_BINARY)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            name = encoding.removesuffix("-sig").upper()
            raise ValueError(
                f"is marked as {name} text but breaks it at byte {error.start + 1}; convert it to UTF-8 first"
            ) from None
        text = _decode_legacy(data)
    if "\0" in text:
        raise ValueError(_BINARY)
    return text


def unicode_encoding(head: bytes) -> str | None:
    """Return the Unicode encoding that the first bytes of a file speak for; None for binary data.

    UTF-8 is the answer for text without a mark, even where it turns out not to be UTF-8.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if b"\0" not in head:
        return "utf-8"
    # English in UTF-16 without a mark: every other byte is zero.
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) // 2 or 1
    if odd / half > _MOSTLY and not even:
        return "utf-16-le"
    return "utf-16-be" if even / half > _MOSTLY and not odd else None


def mended(text: str) -> str:
    """Decode again what a UTF-8 reader let through as lone surrogates (``surrogateescape``).

    A large table is read as UTF-8 row by row; a row in another encoding is found and mended here.

    Raises:
        ValueError: the bytes are in no encoding that can be told; the message is a reason.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return _decode_legacy(text.encode("utf-8", "surrogateescape"))
    return text


def _decode_legacy(data: bytes) -> str:
    if b"\0" in data:
        raise ValueError(_BINARY)
    high = len(data.translate(None, bytes(range(128))))
    if high / len(data) < _SPARSE:
        # A few accents and quotes among ASCII: too little to compare encodings by, and in news from
        # English-speaking desks it is Windows-1252.
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            pass
    import charset_normalizer

    best = charset_normalizer.from_bytes(data).best()
    if best is None:
        raise ValueError("is in no encoding that can be told; convert it to UTF-8 first")
    return str(best)
