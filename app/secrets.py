"""Keys at rest: the OS keyring, asked off the loop, or memory where there is none. Never a file in clear.

A keyring may be missing, locked, waiting for a password dialog, or offer nothing but a plain-text file. All of these
become one sentence for the user (`problem`), and keys are then held for this run only.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "anthropic-proxy"
ANSWER_WITHIN_S = 60.0
"""Long enough for somebody to type the keyring's password."""

ALTERNATIVES = (
    "Keys are held in memory for this run only. To keep them, install and unlock a keyring (GNOME Keyring, KWallet, "
    "KeePassXC; on macOS and Windows it is built in), or hand the key over at each start with SERVER_API_KEY or "
    "SERVER_API_KEY_FILE."
)
_NO_BACKEND = "There is no system keyring to keep keys in."
_PLAIN_TEXT = "The only keyring here would keep keys in a readable file, which is refused."
_LOCKED = "The system keyring is locked."
_SILENT = "The system keyring did not answer."

T = TypeVar("T")


class KeyringUnusableError(Exception):
    """The keyring cannot be used now; the message says why and what else there is."""


class SecretStore(Protocol):
    """Where keys are kept: user → secret. `problem`: why nothing can be kept, "" as long as all is well."""

    @property
    def problem(self) -> str:
        """Plain words, known once the store was first asked."""
        ...

    async def get(self, user: str) -> str | None:
        """The secret, None if there is none. Raises KeyringUnusableError."""
        ...

    async def put(self, user: str, secret: str) -> None:
        """Keep a secret. Raises KeyringUnusableError."""
        ...

    async def delete(self, user: str) -> None:
        """Forget a secret; fine if there is none. Raises KeyringUnusableError."""
        ...


class MemoryStore:
    """Keeps keys for this run: tests, and programs that must not touch the keyring."""

    problem = ""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._secrets = dict(secrets or {})

    async def get(self, user: str) -> str | None:
        """See SecretStore."""
        return self._secrets.get(user)

    async def put(self, user: str, secret: str) -> None:
        """See SecretStore."""
        self._secrets[user] = secret

    async def delete(self, user: str) -> None:
        """See SecretStore."""
        self._secrets.pop(user, None)


class KeyringStore:
    """The OS keyring. Each call runs in a thread of its own, since a password dialog can hold it up for long.

    backend: for tests; otherwise whatever `keyring` finds, looked for in the thread too (it asks the session bus).
    """

    def __init__(self, backend: KeyringBackend | None = None, *, within_s: float = ANSWER_WITHIN_S) -> None:
        self._backend = backend
        self._within_s = within_s
        self._one_at_a_time = asyncio.Lock()
        self.problem = ""

    async def get(self, user: str) -> str | None:
        """See SecretStore."""
        return await self._ask(lambda backend: backend.get_password(SERVICE, user))

    async def put(self, user: str, secret: str) -> None:
        """See SecretStore."""
        await self._ask(lambda backend: backend.set_password(SERVICE, user, secret))

    async def delete(self, user: str) -> None:
        """See SecretStore."""
        await self._ask(lambda backend: _delete(backend, user))

    async def _ask(self, call: Callable[[KeyringBackend], T]) -> T:
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(self._within_s):
                    answer = await _in_thread(lambda: self._call(call))
            except TimeoutError:
                raise self._unusable(_SILENT) from None
            except KeyringUnusableError as error:
                raise self._unusable(str(error)) from None
        self.problem = ""
        return answer

    def _unusable(self, reason: str) -> KeyringUnusableError:
        self.problem = f"{reason} {ALTERNATIVES}"
        return KeyringUnusableError(self.problem)

    def _call(self, call: Callable[[KeyringBackend], T]) -> T:
        """In the thread: one call, with whatever a foreign backend may raise turned into words."""
        from keyring.errors import KeyringLocked, NoKeyringError  # importing it takes a while: in the thread, too

        try:
            return call(self._backend or _choose_backend())
        except KeyringUnusableError:
            raise
        except KeyringLocked:
            raise KeyringUnusableError(_LOCKED) from None
        except NoKeyringError:
            raise KeyringUnusableError(_NO_BACKEND) from None
        except Exception as error:  # noqa: BLE001  # a border: backends raise what they like, and may quote the secret
            raise KeyringUnusableError(f"The system keyring failed ({type(error).__name__}).") from None


def _delete(backend: KeyringBackend, user: str) -> None:
    if backend.get_password(SERVICE, user) is not None:
        backend.delete_password(SERVICE, user)


def _choose_backend() -> KeyringBackend:
    """The backend that `keyring` chose, or its best part. Raises KeyringUnusableError for none and for plain text."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    offered: Iterable[KeyringBackend] = chosen.backends if isinstance(chosen, ChainerBackend) else (chosen,)
    offered = [backend for backend in offered if not _is_none(backend)]
    for backend in offered:
        if not _is_plain(backend):
            return backend
    raise KeyringUnusableError(_PLAIN_TEXT if offered else _NO_BACKEND)


def _is_none(backend: KeyringBackend) -> bool:
    return type(backend).__module__ in {"keyring.backends.fail", "keyring.backends.null"}


def _is_plain(backend: KeyringBackend) -> bool:
    """keyrings.alt keeps files: in clear, or behind a password that it asks for on a terminal nobody sees."""
    kind = type(backend)
    return kind.__module__.startswith("keyrings.alt") or "plaintext" in kind.__name__.lower()


async def _in_thread(work: Callable[[], T]) -> T:
    """Run in a daemon thread: one that hangs in a dialog must not keep the program from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(set_outcome: Callable[[], None]) -> None:
        if not done.done():
            set_outcome()

    def run() -> None:
        try:
            answer = work()
        except KeyringUnusableError as error:
            fault = error
            tell(lambda: done.set_exception(fault))
        else:
            tell(lambda: done.set_result(answer))

    def tell(set_outcome: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the program ended meanwhile: nobody waits for the answer
            loop.call_soon_threadsafe(settle, set_outcome)

    threading.Thread(target=run, name="keyring", daemon=True).start()
    return await done
