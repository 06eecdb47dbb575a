"""The running program without a face: everything put together once, started, changed and stopped in one place."""

from app.runtime.host import Runtime

__all__ = ["Runtime"]
