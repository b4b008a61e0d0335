"""The HTTP edge: one application that serves the API, the console and the site. `app.py` names its routes by slice."""
