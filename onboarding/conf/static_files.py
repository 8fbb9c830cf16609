"""Storage of the static files: one style sheet instead of its parts, names with a hash, compressed copies.

`static/css/site.css` lists its parts with `@import`. That works as it is, but a browser would load each of
them after the other. `collectstatic` puts them into the one file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

SHEET = "css/site.css"
IMPORT = re.compile(r'@import url\("([\w.-]+)"\);')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)

Found = dict[str, tuple[Storage, str]]  # the files that collectstatic found, by their name here


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """WhiteNoise's, with the parts of the style sheet put together."""

    def post_process(
        self, paths: Found, dry_run: bool = False, **options: object
    ) -> Iterator[object]:
        if SHEET in paths and not dry_run:
            whole = joined(paths)
            self.delete(SHEET)  # templates/alone.html asks for it by this name
            self._save(SHEET, ContentFile(whole))
            memory = InMemoryStorage()
            memory.save(SHEET, ContentFile(whole))
            paths = {**paths, SHEET: (memory, SHEET)}
        yield from super().post_process(paths, dry_run=dry_run, **options)


def joined(paths: Found) -> bytes:
    """The style sheet with its parts in the place of their `@import`, without comments and indentation."""
    text = IMPORT.sub(lambda found: _read(paths, f"css/{found[1]}"), _read(paths, SHEET))
    lines = (line.strip() for line in COMMENT.sub("", text).splitlines())
    return "\n".join(filter(None, lines)).encode()


def _read(paths: Found, name: str) -> str:
    storage, path = paths[name]
    with storage.open(path) as file:
        return str(file.read().decode())
