"""Capillary: API clients with a key and a secret, made by its v3 integrations API."""
