"""The built-in upstream: an imitation of the real one in this process, for trying everything without a key.

It answers in both dialects in the real upstream's manner (protocols: zero usage in `message_start`, reasoning before
content, usage on the last chunk), describes pictures, calls tools, and makes errors on demand. What it says depends on
the request alone, so that tests and screenshots can rely on it.
"""

from app.demo.upstream import DemoUpstream

__all__ = ["DemoUpstream"]
