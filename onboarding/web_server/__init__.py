"""How the web server deals with clients: it waits for none of them. gunicorn.conf.py uses this package."""
