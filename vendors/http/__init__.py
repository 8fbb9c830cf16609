"""HTTP client of the vendors. Begin with `api.py`; a vendor's client.py needs little else."""
