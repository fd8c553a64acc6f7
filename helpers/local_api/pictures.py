"""Pictures in a request: what they count, and what is wrong with one that is none."""

import functools

from ..facts import forms, pictures, tokens
from . import canonical

LARGEST = 20 * 1024 * 1024  # bytes of one picture, as the API said in 2024
MODELS_WITH_PATCHES = ("gpt-5.6-",)
SHA = ";sha256,"

# The API's words, and where they were seen. A text in which only the place differs counts as
# verbatim.
NO_IMAGE_TYPE = (
    "Invalid MIME type. Only image types are supported.",
    None,
    "invalid_image_format",
    "verbatim: langgenius/dify#11527 (2024-12-10)",
)
NO_PICTURE = (
    "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
    None,
    "invalid_image_format",
    "verbatim text: marketing-factory/ai-filemetadata#20 (2025-02-17), which shows no code; the code is that of langgenius/dify#11527",
)
TOO_LARGE = (
    "You uploaded an unsupported image. Please make sure your image is below 20 MB in size and is of one the following formats: "
    "['png', 'jpeg', 'gif', 'webp'].",
    None,
    "sanitizer_server_error",
    "verbatim: CosmosShadow/gptpdf#6 (2024-06-30)",
)
EMPTY = (
    "Invalid '{at}'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), "
    "but got empty base64-encoded bytes.",
    "{at}",
    "invalid_value",
    "verbatim text: anomalyco/opencode#23983 (2026-04-23), there for the Responses API; param and code follow the pattern of other errors",
)


def reference(file):
    """The canonical data URL of a picture file: its kind and the hash of its content."""
    raw = file.read_bytes()
    return f"data:image/{pictures.kind(raw)}{SHA}{canonical.digest(raw)}"


@functools.cache
def _known():
    """{hash: (width, height)} of the pictures that recordings may refer to."""
    return {
        canonical.digest(raw): pictures.size(raw)
        for raw in (f.read_bytes() for f in forms.FOLDER.glob("*.jpg"))
    }


@functools.cache
def names():
    """{hash: the file's name without its ending} of the pictures that recordings may refer to."""
    return {canonical.digest(f.read_bytes()): f.stem for f in forms.FOLDER.glob("*.jpg")}


def parts(path, body):
    """(where, url, detail) for each picture of a request."""
    said = "messages" if "messages" in body else "input"
    for i, item in enumerate(body[said] if isinstance(body.get(said), list) else []):
        content = item.get("content") if isinstance(item, dict) else None
        for n, part in enumerate(content if isinstance(content, list) else []):
            at = f"{said}[{i}].content[{n}].image_url"
            if part.get("type") == "image_url":
                image = part.get("image_url")
                yield (
                    at,
                    image.get("url") if isinstance(image, dict) else image,
                    image.get("detail") if isinstance(image, dict) else None,
                )
            elif part.get("type") == "input_image":
                yield at, part.get("image_url"), part.get("detail")


def count(path, request):
    """Tokens of all pictures in a request. `auto`, where a model has tiles, is counted as high."""
    model = request["model"]
    total = 0
    for _, url, detail in parts(path, request):
        width, height = _size(url)
        if model.startswith(MODELS_WITH_PATCHES):
            total += tokens.patch_tokens(width, height)
        else:
            total += tokens.image_tokens(width, height, "low" if detail == "low" else "high", model)
    return total


def _size(url):
    if _by_sha(url):
        return _known()[url.split(SHA)[1]]
    return pictures.size(canonical.decoded(url)[0])


def _by_sha(url):
    """Whether a data URL has the SHA-256 of a picture in the picture's place."""
    return url.endswith(SHA, 0, url.find(",") + 1)  # no further: a picture has a megabyte behind it


def refusal(path, body):
    """({message, type, param, code}, source) for the first picture that the API would not take;
    else None.
    """
    for at, url, _ in parts(path, body):
        found = _fault(url)
        if found:
            message, param, code, source = found
            place = at if path.endswith("responses") else f"{at}.url"
            e = {
                "message": message.format(at=place) if "{at}" in message else message,
                "type": "invalid_request_error",
                "param": param and param.format(at=place),
                "code": code,
            }
            return e, source
    return None


def _fault(url):
    if not isinstance(url, str) or not url.startswith("data:") or _by_sha(url):
        return None  # an address: nothing is fetched here, so it is off the map
    if not url.startswith("data:image/"):
        return NO_IMAGE_TYPE
    behind = url.find(",") + 1 or len(url)  # a copy of what stands there would be a megabyte
    if behind == len(url):
        return EMPTY
    if (len(url) - behind) * 3 // 4 > LARGEST:
        return TOO_LARGE
    try:
        pictures.size(canonical.decoded(url)[0])
    except ValueError:
        return NO_PICTURE
    return None
