"""Celigo integrator.io: integration apps ("connectors") and their licences."""
