"""Spanish dates and times: 29 nov 2026, 03:40 (UTC)."""

from __future__ import annotations

DATE_FORMAT = SHORT_DATE_FORMAT = "j b Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "j b Y, H:i (e)"
YEAR_MONTH_FORMAT = "F \\d\\e Y"
MONTH_DAY_FORMAT = "j \\d\\e F"
FIRST_DAY_OF_WEEK = 1
