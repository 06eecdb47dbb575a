"""The program around `proxy_core`: settings, keys, the running instance and its faces."""
