"""How each agent is set up, pointed at the proxy and asked, without a person to answer its questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROMPT = "write a file hello.txt with the text hello from the demo"
WRITTEN = "hello from the demo"
LOCAL_KEY = "a-key-between-agent-and-proxy"
"""Told to every agent that wants a key; it may not reach the upstream."""
SIDE = "{side}"
"""Stands in the arguments where `Target.side` goes."""


@dataclass(frozen=True)
class Target:
    """Where the proxy listens. side: ends the model's name, "-openai" or "-anthropic"; "" lets the proxy choose."""

    port: int
    side: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def model(self, name: str) -> str:
        """The name by which to ask for a model on this side."""
        return name + self.side


@dataclass(frozen=True)
class Agent:
    """One agent. command: its name in node_modules/.bin. set_up: given its project, its home folder and the
    proxy, writes its configuration."""

    name: str
    command: str
    arguments: tuple[str, ...]
    environment: Callable[[Target], dict[str, str]]
    set_up: Callable[[Path, Path, Target], None]

    def asked(self, target: Target) -> list[str]:
        """The arguments with which it asks on the target's side."""
        return [argument.replace(SIDE, target.side) for argument in self.arguments]


def claude_environment(target: Target) -> dict[str, str]:
    """As README tells users, and nothing that would reach out elsewhere. Its own models, unless a side is forced."""
    forced = ("ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL") if target.side else ()
    return {
        "ANTHROPIC_BASE_URL": target.address,
        "ANTHROPIC_AUTH_TOKEN": LOCAL_KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        **dict.fromkeys(forced, target.model("glm-4.6")),
    }


def opencode_environment(_target: Target) -> dict[str, str]:
    return {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}


def write_opencode_config(project: Path, _home: Path, target: Target) -> None:
    """As README tells users, and without questions about permissions."""
    config = {
        "provider": {
            "proxy": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": f"{target.address}/v1", "apiKey": LOCAL_KEY},
                "models": {target.model("glm-4.6"): {}, target.model("glm-4.5-air"): {}},
            }
        },
        "model": f"proxy/{target.model('glm-4.6')}",
        "small_model": f"proxy/{target.model('glm-4.5-air')}",
        "autoupdate": False,
        "share": "disabled",
        "permission": {"edit": "allow", "bash": "allow"},
    }
    (project / "opencode.json").write_text(json.dumps(config))


def write_codex_config(_project: Path, home: Path, target: Target) -> None:
    """As README tells users."""
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text(
        f'model = "{target.model("glm-4.6")}"\nmodel_provider = "proxy"\n\n'
        '[model_providers.proxy]\nname = "Anthropic Proxy"\n'
        f'base_url = "{target.address}/v1"\nwire_api = "responses"\n'
    )


def qwen_environment(target: Target) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": f"{target.address}/v1",
        "OPENAI_API_KEY": LOCAL_KEY,
        "OPENAI_MODEL": target.model("glm-4.6"),
        "QWEN_USAGE_STATISTICS_ENABLED": "false",
    }


def pi_environment(_target: Target) -> dict[str, str]:
    return {"PI_OFFLINE": "1"}  # looks for no update; the models are asked all the same


def write_pi_config(_project: Path, home: Path, target: Target) -> None:
    """One provider for each dialect; the Anthropic one appends /v1/messages by itself. pi asks for no permissions."""
    models = {"apiKey": LOCAL_KEY, "models": [{"id": target.model("glm-4.6")}]}
    providers = {
        "proxy": {"baseUrl": f"{target.address}/v1", "api": "openai-completions", **models},
        "proxy-anthropic": {"baseUrl": target.address, "api": "anthropic-messages", **models},
    }
    folder = home / ".pi" / "agent"
    folder.mkdir(parents=True)
    (folder / "models.json").write_text(json.dumps({"providers": providers}))


CODEX = ("exec", "--skip-git-repo-check", "--sandbox", "workspace-write")
PI = ("--print", "--model")

AGENTS = (
    Agent(
        "Claude Code",
        "claude",
        # acceptEdits also works as root, which --dangerously-skip-permissions does not.
        ("-p", PROMPT, "--permission-mode", "acceptEdits", "--output-format", "json"),
        claude_environment,
        lambda project, home, target: None,
    ),
    Agent("Codex", "codex", (*CODEX, PROMPT), lambda target: {}, write_codex_config),
    # For OpenAI's own models it offers its freeform patch tool, beside the shell.
    Agent(
        "Codex (patch)", "codex", (*CODEX, "--model", f"gpt-5.5{SIDE}", PROMPT), lambda target: {}, write_codex_config
    ),
    Agent("opencode", "opencode", ("run", PROMPT, "--print-logs"), opencode_environment, write_opencode_config),
    Agent(
        "Qwen Code",
        "qwen",
        ("-p", PROMPT, "--approval-mode", "auto-edit"),
        qwen_environment,
        lambda project, home, target: None,
    ),
    Agent("pi", "pi", (*PI, f"proxy/glm-4.6{SIDE}", PROMPT), pi_environment, write_pi_config),
    Agent("pi (Anthropic)", "pi", (*PI, f"proxy-anthropic/glm-4.6{SIDE}", PROMPT), pi_environment, write_pi_config),
)
