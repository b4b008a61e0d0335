"""The only package that imports redis: connections, keys, scripts, commits, global names, the embedded server."""
