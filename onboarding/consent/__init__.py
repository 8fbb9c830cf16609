"""What merchants agree to when they connect a shop, and the signed receipt of it.

words      the five short parts of a consent: the vendor's, or what staff wrote instead
receipts   one consent as a document: who, when, which shop, the words, and how it ended
signing    canonical JSON, signatures and their keys, and what a changed file says
"""

from __future__ import annotations

from .words import PARTS, Words, consent_of, domain

__all__ = ["PARTS", "Words", "consent_of", "domain"]
