"""No page of this site takes a file: an upload is refused at its first part, before anything is written."""

from __future__ import annotations

from typing import Never

from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler


class RefuseFiles(FileUploadHandler):
    def new_file(self, *args: object, **kwargs: object) -> Never:
        raise TooManyFilesSent("a form came with a file")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> Never:
        raise TooManyFilesSent("a form came with a file")

    def file_complete(self, file_size: int) -> None:
        return None
