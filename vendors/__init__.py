"""The vendor library: plain Python, no Django, no database.

`ALL` lists the vendors; `load` configures those whose settings are complete. A new vendor is a folder,
an import and a name in `ALL` (`manage.py newvendor` writes all three).
"""

from __future__ import annotations

from collections.abc import Mapping

from . import loading
from .capillary.flow import Capillary
from .celigo.flow import Celigo
from .contract import Vendor
from .itembase.flow import Itembase
from .loading import Loaded, required, settings
from .sharespine.flow import Sharespine

__all__ = ["ALL", "Loaded", "load", "required", "settings"]

ALL: tuple[type[Vendor], ...] = (
    Itembase,
    Sharespine,
    Celigo,
    Capillary,
)


def load(environ: Mapping[str, str]) -> Loaded:
    """Configure the vendors from `environ` (os.environ or a dict), in the order of `ALL`."""
    return loading.load(ALL, environ)
