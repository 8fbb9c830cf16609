"""The pages of the site: one module a family, short function views."""
