"""What failed is left alone for a while, each time for longer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

_MOST_REMEMBERED = 2_000


class Backoff:
    """Remembers failures by name, the newest ones. Seconds by `clock`, which never goes back."""

    def __init__(self, clock: Callable[[], float], first_s: float, longest_s: float) -> None:
        self._clock = clock
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def may_try(self, name: Hashable) -> bool:
        """Whether it is time to try it, or to try it again."""
        return name not in self._failures or self._clock() >= self._failures[name][1]

    def failed(self, name: Hashable, at_least_s: float = 0.0) -> None:
        """Leave it alone: not yet after the first failure, which may be chance, then twice as long as the last time.

        Failures of tries that ran side by side count once as soon as there is a wait.
        """
        if not self.may_try(name):
            return
        is_first = name not in self._failures
        last_s = self._failures.pop(name, (0.0, 0.0))[0]
        wait_s = 0.0 if is_first else min(max(self._first_s, 2 * last_s), self._longest_s)
        self._failures[name] = (wait_s, self._clock() + max(wait_s, at_least_s))
        if len(self._failures) > _MOST_REMEMBERED:
            self._failures.popitem(last=False)

    def worked(self, name: Hashable) -> None:
        """Forget its failures."""
        self._failures.pop(name, None)
