"""How each agent is set up, pointed at the proxy and asked, without a person to answer its questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROMPT = "write a file hello.txt with the text hello from the demo"
WRITTEN = "hello from the demo"


@dataclass(frozen=True)
class Agent:
    """One agent. command: its name in node_modules/.bin. set_up: given its project, its home folder and the proxy's
    port, writes its configuration."""

    name: str
    command: str
    arguments: tuple[str, ...]
    environment: Callable[[int], dict[str, str]]
    set_up: Callable[[Path, Path, int], None]


def claude_environment(port: int) -> dict[str, str]:
    """As README tells users, and nothing that would reach out elsewhere."""
    return {
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
        "ANTHROPIC_AUTH_TOKEN": "any",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }


def opencode_environment(_port: int) -> dict[str, str]:
    return {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}


def write_opencode_config(project: Path, _home: Path, port: int) -> None:
    """As README tells users, and without questions about permissions."""
    config = {
        "provider": {
            "proxy": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": f"http://127.0.0.1:{port}/v1", "apiKey": "any"},
                "models": {"glm-4.6": {}, "glm-4.5-air": {}},
            }
        },
        "model": "proxy/glm-4.6",
        "small_model": "proxy/glm-4.5-air",
        "autoupdate": False,
        "share": "disabled",
        "permission": {"edit": "allow", "bash": "allow"},
    }
    (project / "opencode.json").write_text(json.dumps(config))


def write_codex_config(_project: Path, home: Path, port: int) -> None:
    """As README tells users."""
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text(
        'model = "glm-4.6"\nmodel_provider = "proxy"\n\n[model_providers.proxy]\nname = "Anthropic Proxy"\n'
        f'base_url = "http://127.0.0.1:{port}/v1"\nwire_api = "responses"\n'
    )


def qwen_environment(port: int) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "OPENAI_API_KEY": "any",
        "OPENAI_MODEL": "glm-4.6",
        "QWEN_USAGE_STATISTICS_ENABLED": "false",
    }


def pi_environment(_port: int) -> dict[str, str]:
    return {"PI_OFFLINE": "1"}  # looks for no update; the models are asked all the same


def write_pi_config(_project: Path, home: Path, port: int) -> None:
    """One provider for each dialect; the Anthropic one appends /v1/messages by itself. pi asks for no permissions."""
    address = f"http://127.0.0.1:{port}"
    models = {"apiKey": "any", "models": [{"id": "glm-4.6"}]}
    providers = {
        "proxy": {"baseUrl": f"{address}/v1", "api": "openai-completions", **models},
        "proxy-anthropic": {"baseUrl": address, "api": "anthropic-messages", **models},
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
        lambda project, home, port: None,
    ),
    Agent("Codex", "codex", (*CODEX, PROMPT), lambda port: {}, write_codex_config),
    # For OpenAI's own models it offers its freeform patch tool, beside the shell.
    Agent("Codex (patch)", "codex", (*CODEX, "--model", "gpt-5.5", PROMPT), lambda port: {}, write_codex_config),
    Agent("opencode", "opencode", ("run", PROMPT, "--print-logs"), opencode_environment, write_opencode_config),
    Agent(
        "Qwen Code",
        "qwen",
        ("-p", PROMPT, "--approval-mode", "auto-edit"),
        qwen_environment,
        lambda project, home, port: None,
    ),
    Agent("pi", "pi", (*PI, "proxy/glm-4.6", PROMPT), pi_environment, write_pi_config),
    Agent("pi (Anthropic)", "pi", (*PI, "proxy-anthropic/glm-4.6", PROMPT), pi_environment, write_pi_config),
)
