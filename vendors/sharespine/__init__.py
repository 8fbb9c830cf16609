"""Sharespine Integration Platform (formerly Plugboard): tenants made by the Reseller API."""
